# What lies below a folder for runs: its age, size and removal, and the environments there (see environment.sh).

ct_changed() { stat -c %Y "$1" 2>/dev/null || stat -f %m "$1" 2>/dev/null || echo 0; }
ct_size() { du -sk "$1" 2>/dev/null | { read -r ct_size _; echo "${ct_size:-0}"; }; }

# ct_remove PATH [CHECK...]: at once for whoever looks, since it is renamed first. What CHECK then says keeps it after all.
ct_remove() {
    ct_path=$1
    shift
    ct_gone=${ct_path%/*}/.removing-${ct_path##*/}
    case ${ct_path##*/} in .removing-*) ct_gone=$ct_path ;; esac
    [ "$ct_gone" = "$ct_path" ] || ct_out=$(mv "$ct_path" "$ct_gone" 2>&1) || { ct_keep_it "$ct_out"; return; }
    if [ $# -gt 0 ] && ct_out=$("$@") && [ -n "$ct_out" ]; then
        mv "$ct_gone" "$ct_path"
        ct_keep_it "$ct_out"
    elif ! ct_out=$({ rm -rf "$ct_gone" 2>/dev/null || { chmod -R u+rwX "$ct_gone" && rm -rf "$ct_gone"; }; } 2>&1); then
        ct_keep_it "$ct_out"
    fi
}
ct_keep_it() { ct_say kept "$(printf %s "$1" | tr '\n' ' ')"; }

ct_is_environment() {
    [ -d "$1" ] && [ ! -L "$1" ] && [ ! -L "${1%/*}" ] && { [ -f "$1/pyvenv.cfg" ] || [ -d "$1/conda-meta" ]; }
}

# ct_maker PATH: who makes this environment now, if anybody.
ct_maker() {
    ct_lock=${1%/*}/.lock-${1##*/}
    ct_read "$ct_lock/owner" || return 0
    set -- $ct_value
    if [ "$1" = "$(ct_machine)" ]; then
        kill -0 "$2" 2>/dev/null || return 0
    else
        # By the clock of the file system, which may not be ours.
        [ -n "$(find "$ct_lock" -prune -mmin -5 2>/dev/null)$(find "$ct_lock/beat" -mmin -5 2>/dev/null)" ] || return 0
    fi
    shift 2
    printf '%s\n' "$*"
}

# ct_users PATH: the jobs that use this environment and have not ended, in one line.
ct_users() {
    ct_found=
    # Jobs may see the folder under another name.
    for ct_file in "${1%/*/*}"/*/[0-9]*/job/environment; do
        [ -f "$ct_file" ] && ct_read "$ct_file" || continue
        case $ct_value in */.environments/"${1##*/}") ;; *) continue ;; esac
        ct_user=${ct_file%/job/environment}
        if scheduler_is_active "$ct_user"; then
            ct_read "$ct_user/job/id" || ct_value=${ct_user##*/}
            ct_found=$ct_found${ct_found:+,}$ct_value
        fi
    done
    printf '%s\n' "$ct_found"
}

# ct_why_kept PATH: why an environment must stay; nothing when it need not.
ct_why_kept() {
    ct_out=$(ct_maker "$1")
    if [ -n "$ct_out" ]; then
        echo "it is being made by $ct_out"
    else
        ct_out=$(ct_users "$1")
        [ -z "$ct_out" ] || echo "in use by job $ct_out"
    fi
}

# ct_remove_environment PATH
ct_remove_environment() {
    ct_out=$(ct_why_kept "$1")
    # A job that comes to use it between the two looks finds it, or makes it anew.
    if [ -n "$ct_out" ]; then ct_keep_it "$ct_out"; else ct_remove "$1" ct_users_of_removed "$1"; fi
}
ct_users_of_removed() { ct_out=$(ct_users "$1") && [ -z "$ct_out" ] || echo "in use by job $ct_out"; }
