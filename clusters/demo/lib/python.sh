# shellcheck shell=bash
# A virtual environment with TensorBoard, and JupyterLab where that is asked for, made once and kept for later demos: it takes a minute.

PYTHON_PACKAGES="tensorboard setuptools<81"

python_cache() {
    # Root's own cache folder is closed to the account that root may create for the demo.
    if [ "$(id -u)" -eq 0 ]; then
        echo /var/cache/cluster-tools
    else
        echo "${XDG_CACHE_HOME:-$HOME/.cache}/cluster-tools"
    fi
}

# Prefers the system's Python: another may lie in a home folder that jobs cannot read.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# Sets PYTHON_ENVIRONMENT; empty when there is none to be had, which is no failure: the demo works without.
prepare_python() {
    local python folder log
    PYTHON_ENVIRONMENT=""
    python=$(find_python) || {
        say "No Python with venv found: the demo has no TensorBoard."
        return 0
    }
    folder=$(python_cache)/demo-$(printf '%s' "$("$python" -V) $PYTHON_PACKAGES" | cksum | tr -s ' ' -)
    log=$STATE/log/python.log
    mkdir -p "${folder%/*}"
    if [ ! -f "$folder/complete" ]; then
        say "Installing TensorBoard for the demo's jobs (about a minute, once; --no-tensorboard skips it) …"
    fi
    # Two demos that start at once share the work. Subshell: the lock's descriptor ends with it.
    if (
        flock -w 600 8 || exit 1
        [ ! -f "$folder/complete" ] || exit 0
        rm -rf "$folder"
        # shellcheck disable=SC2086
        umask 022 && set -f &&
            "$python" -m venv "$folder" &&
            "$folder/bin/pip" install --quiet --disable-pip-version-check $PYTHON_PACKAGES &&
            "$folder/bin/python" -c 'import tensorboard.program' && touch "$folder/complete"
    ) 8>"$folder.lock" >"$log" 2>&1; then
        # shellcheck disable=SC2034 # goes into the profile
        PYTHON_ENVIRONMENT=$folder
    else
        say "TensorBoard could not be installed; the demo goes on without it. The end of $log:"
        tail -n 5 "$log" | sed 's/^/    /' >&2
    fi
}

purge_python() { rm -rf "$(python_cache)"/demo-*; }
