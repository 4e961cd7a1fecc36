# shellcheck shell=bash
# Who the demo runs as: the person who started it or, for root on request, a Unix user made for it, with any login shell.

choose_account() {
    ACCOUNT=$(id -un)
    # The cluster's home is another one than the laptop's: its start files are not the user's own.
    HOME_FOLDER=$STATE/home
    ACCOUNT_CREATED=""
    if [ -z "$LOGIN_SHELL" ]; then return; fi
    if [ "$(id -u)" -ne 0 ]; then
        fail "--login-shell makes a Unix user for the demo, which needs root. Without it the demo runs as you, with your own login shell."
    fi
    local shell
    shell=$(command -v "$LOGIN_SHELL") || fail "there is no '$LOGIN_SHELL' here; install it: apt-get install $LOGIN_SHELL"
    LOGIN_SHELL=$shell
    # Derived from the state folder, so each demo has its own.
    ACCOUNT=ctdemo$(printf '%s' "$STATE" | cksum | cut -d ' ' -f 1)
    ACCOUNT_CREATED=1
}

create_account() {
    mkdir -p "$HOME_FOLDER"
    [ -n "$ACCOUNT_CREATED" ] || return 0
    if ! id "$ACCOUNT" >/dev/null 2>&1; then
        useradd --home-dir "$HOME_FOLDER" --no-create-home --shell "$LOGIN_SHELL" --password '*' "$ACCOUNT"
    fi
    write_start_files
    chown -R "$ACCOUNT:" "$STATE"
    setpriv --reuid "$ACCOUNT" --regid "$(id -g "$ACCOUNT")" --clear-groups test -x "$STATE" ||
        fail "the user $ACCOUNT cannot enter $STATE because a folder above it is closed; choose another with --state"
}

delete_account() {
    [ -n "$ACCOUNT_CREATED" ] || return 0
    if id "$ACCOUNT" >/dev/null 2>&1; then userdel "$ACCOUNT"; fi
}

# Usage: own PATH...: gives what root has just made to the demo's account.
own() {
    if [ -n "$ACCOUNT_CREATED" ]; then chown "$ACCOUNT:" "$@"; fi
}

# The start files of every shell a site has, since a job script is bash whatever the login shell is.
write_start_files() {
    local noise="" login_sh="" login_csh="" login_fish=""
    if [ -n "$NOISY" ]; then noise='echo "*** Welcome to the demo cluster ***"'; fi
    if [ "$SLURM_IN" = login ]; then
        login_sh="export PATH=/usr/local/bin:/usr/bin:/bin SLURM_CONF=$STATE/slurm.conf"
        login_csh="setenv PATH /usr/local/bin:/usr/bin:/bin; setenv SLURM_CONF $STATE/slurm.conf"
        login_fish="status is-login; and set -gx PATH /usr/local/bin /usr/bin /bin; and set -gx SLURM_CONF $STATE/slurm.conf"
        make_bin_without_slurm
    fi
    mkdir -p "$HOME_FOLDER/.config/fish"
    printf '%s\n' "$noise" >"$HOME_FOLDER/.bashrc"
    # shellcheck disable=SC2016 # expands when the shell starts
    printf '%s\n%s\n' "$login_sh" "$noise" | tee "$HOME_FOLDER/.profile" >"$HOME_FOLDER/.zprofile"
    printf '%s\n' "$noise" | tee "$HOME_FOLDER/.zshenv" >"$HOME_FOLDER/.cshrc"
    printf '%s\n%s\n' "$login_csh" "$noise" >"$HOME_FOLDER/.login"
    printf '%s\n%s\n' "$login_fish" "$noise" >"$HOME_FOLDER/.config/fish/config.fish"
}

# Every command of the machine but Slurm's, for sessions that are no login.
make_bin_without_slurm() {
    local folder file
    rm -rf "${STATE:?}/bin"
    mkdir -p "$STATE/bin"
    for folder in /usr/bin /usr/local/bin; do
        find "$folder" -maxdepth 1 -mindepth 1 -exec ln -sf -t "$STATE/bin" {} +
    done
    dpkg-query -L slurm-client slurm-wlm-basic-plugins 2>/dev/null | while IFS= read -r file; do
        case $file in /usr/bin/*) rm -f "$STATE/bin/${file##*/}" ;; esac
    done
}
