# shellcheck shell=bash
# The state folder: everything the demo cluster makes lies in one private folder, and `settings` in it says how the
# cluster was started, so that `down`, `fault` and a second `up` need no arguments but the folder.

# What is remembered between commands; each is also the name of a shell variable.
SETTINGS="PROFILE ACCOUNT ACCOUNT_CREATED HOME_FOLDER LOGIN_SHELL NOISY SLURM_IN HOSTS SUBNET NODES SSH_ADDRESS
MEMORY_LIMITS SSH_PORT SLURMCTLD_PORT SLURMD_PORT EXTRA_SLURM EXTRA_SSHD PYTHON_ENVIRONMENT"

say() { printf '%s\n' "$*" >&2; }

# Ends the script; `up` has an EXIT trap that takes everything down again.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

default_state() { printf '%s\n' "${XDG_STATE_HOME:-$HOME/.local/state}/cluster-tools/demo"; }

# Slurm's and sshd's configuration files cannot quote every character, and a Unix socket's path has at most 107 bytes.
check_state_path() {
    case $STATE in
        /*) ;;
        *) STATE=$PWD/$STATE ;;
    esac
    case $STATE in
        *[!A-Za-z0-9._/@+-]*) fail "the state folder '$STATE' has characters in its path that Slurm's configuration cannot hold; choose another with --state" ;;
    esac
    [ "${#STATE}" -le 80 ] || fail "the path of the state folder '$STATE' is too long for the sockets in it (80 bytes at most); choose another with --state"
}

save_settings() {
    local name
    for name in $SETTINGS; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$STATE/settings.new"
    mv "$STATE/settings.new" "$STATE/settings"
}

# Succeeds when a cluster was started from this folder (it may have died since).
load_settings() {
    [ -f "$STATE/settings" ] || return 1
    # Reading a file of shell assignments runs it: only one that nobody else can have written.
    [ -O "$STATE/settings" ] || [ "$(id -u)" -eq 0 ] || fail "$STATE belongs to another user"
    # A demo that was started before an update lacks the settings that are new.
    MEMORY_LIMITS="" EXTRA_SSHD=""
    # shellcheck source=/dev/null
    . "$STATE/settings"
}

# One command at a time works on a state folder; the lock goes when the script ends. Daemons close descriptor 9.
# Fails when the folder has been removed, perhaps by whoever held the lock until now.
lock_state() {
    { exec 9>"$STATE/lock"; } 2>/dev/null || return 1
    flock -w 120 9 || fail "another command has been working on $STATE for two minutes"
    [ "$STATE/lock" -ef /proc/self/fd/9 ]
}

# Makes the state folder, private from the start, and locks it.
make_state() {
    while true; do
        if ! (umask 077 && mkdir -p "$STATE" && chmod 0700 "$STATE"); then fail "cannot make the folder $STATE"; fi
        ! lock_state || return 0
        # A `down` that was at work has just removed the folder. If it is still there, it is not ours to write to.
        [ ! -d "$STATE" ] || [ -w "$STATE" ] || fail "cannot write to the folder $STATE"
    done
}

# Usage: wait_for SECONDS COMMAND...: polls until the command succeeds.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}
