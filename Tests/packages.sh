# shellcheck shell=bash
# What Tests/run and Tests/Benchmarks/run need, and how it comes here. Needs clusters/demo/lib/packages.sh.

BUILD_PACKAGES="libgit2-dev libssh-dev libarchive-dev libssl-dev pkg-config git"
# A real SSH server, Slurm, shells, browser and the tools that the tests compare with.
TEST_PACKAGES="openssh-server openssh-client slurmctld slurmd slurm-client munge python3-venv procps util-linux
iproute2 tcsh fish zsh tmux screen git-lfs zstd xz-utils libpam-wrapper busybox btrfs-progs chromium fonts-dejavu-core"
# A real SSH server, Slurm, and what a user would do without submit.
BENCHMARK_PACKAGES="openssh-server openssh-client slurmctld slurmd slurm-client munge python3-venv procps util-linux
zstd rsync"

# Usage: install PACKAGE...: what the build needs, and these.
install() {
    if command -v apt-get >/dev/null; then
        # shellcheck disable=SC2086
        install_packages $BUILD_PACKAGES "$@"
    elif command -v brew >/dev/null; then
        brew install --quiet libgit2 libssh libarchive openssl@3 pkg-config
    else
        say "Neither apt-get nor brew is here: nothing installed."
    fi
}

# Usage: end_clusters FOLDER: takes down the demo clusters whose states are in that folder. They go down by themselves when
# what started them has ended, unless that was killed.
end_clusters() {
    local state
    # shellcheck disable=SC2317 # called by wait_for
    clusters_gone() { ! ls -d "$1"/ct-demo-*/settings >/dev/null 2>&1; }
    wait_for 30 clusters_gone "$1"
    for state in "$1"/ct-demo-*; do
        if [ -f "$state/settings" ]; then
            say "Taking down a demo cluster that was left: $state"
            "$ROOT/clusters/demo/down" --state "$state" --quiet
        fi
    done
}
