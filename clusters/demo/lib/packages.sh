# shellcheck shell=bash
# Debian packages. `up` and Tests/run both install what they miss through `install_packages`.

# Which of the packages are not installed.
missing_packages() {
    local package
    for package; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
            "install ok installed") ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

# Usage: install_packages PACKAGE...: asks before it calls sudo. ASSUME_YES=1 does not ask.
install_packages() {
    local missing answer
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086
    set -- $missing
    say "Debian packages to install: $*"
    if [ "$(id -u)" -eq 0 ]; then
        as_root=()
    elif command -v sudo >/dev/null; then
        as_root=(sudo)
        if [ "${ASSUME_YES:-0}" != 1 ]; then
            [ -t 0 ] || fail "install them first: sudo apt-get install $*"
            printf 'Install them with sudo? [Y/n] ' >&2
            read -r answer
            case $answer in [nN]*) fail "nothing installed. To do it yourself: sudo apt-get install $*" ;; esac
        fi
    else
        fail "they need root, and there is no sudo here. Ask an administrator for: apt-get install $*"
    fi
    "${as_root[@]}" bash -s -- "$@" <<'INSTALL' || fail "apt-get could not install them; its messages are above"
set -eu
# The demo starts its daemons itself: a laptop must not find itself with an SSH server on port 22 because of it. While a
# policy-rc.d exits with 101 no package starts its service, and the new services are not started at boot either.
services=""
for package; do
    case $package in
        openssh-server) services="$services ssh.service" ;;
        munge | slurmd | slurmctld) services="$services $package.service" ;;
    esac
done
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "$@" </dev/null
if [ -n "$services" ] && [ -d /run/systemd/system ]; then
    systemctl disable $services
fi
INSTALL
}

# Debian, Ubuntu and what derives from them; anything else is told what the demo needs.
check_platform() {
    [ "$(uname -s)" = Linux ] || fail "the demo cluster needs Linux with Debian's packages (Slurm does not run on $(uname -s)).
Without it: 'submit COMMAND' with no profile runs the job on this machine."
    command -v apt-get >/dev/null && return
    local program
    for program in slurmctld slurmd sbatch munged sshd; do
        command -v "$program" >/dev/null || fail "the demo cluster installs its packages with apt-get, which is not here. \
Install slurmctld, slurmd, the Slurm commands, munge and the OpenSSH server by hand and start it again."
    done
}

require_packages() {
    if command -v apt-get >/dev/null; then install_packages "$@"; fi
}
