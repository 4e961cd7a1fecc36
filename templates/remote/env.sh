# Lists and removes environments, by requests, a line each on standard input:
#   list        `folder PATH`; then `environment KEY|STATE|LAST|KILOBYTES|JOBS|MAKER` for each, followed by the lines `about NAME VALUE`
#               that describe it. STATE is ready, making, failed or broken (what a killed program has left); JOBS use it, MAKER makes it
#   remove KEY  `kept WHY` when it has not
# Every answer ends with a line `done`.

ct_list_environment() {
    ct_path=$1
    ct_key=${1##*/}
    ct_kilobytes=0
    ct_jobs=
    ct_by=$(ct_maker "$1")
    if [ -n "$ct_by" ]; then
        ct_state=making
        ct_last=$(ct_changed "$ct_pool/.lock-$ct_key")
    elif [ -e "$1/.complete" ]; then
        ct_state=ready
        ct_last=$(ct_changed "$1/.complete")
        ct_kilobytes=$(sed -n 's/^kilobytes //p' "$1/.about" 2>/dev/null)
        ct_jobs=$(ct_users "$1")
    else
        ct_state=broken
        ct_last=$(ct_changed "$1")
    fi
    [ -n "$ct_kilobytes" ] && [ "$ct_kilobytes" != 0 ] || ct_kilobytes=$(ct_size "$1")
    ct_say environment "$ct_key|$ct_state|$ct_last|$ct_kilobytes|$ct_jobs|$ct_by"
    [ ! -f "$1/.about" ] || ct_lines about "$(cat "$1/.about")"
}

ct_list_environments() {
    ct_say folder "$ct_pool"
    for ct_each in "$ct_pool"/*; do
        ct_is_environment "$ct_each" && ct_list_environment "$ct_each"
    done
    for ct_each in "$ct_pool"/.lock-*; do
        # One that is only begun.
        ct_path=$ct_pool/${ct_each##*/.lock-}
        [ ! -d "$ct_each" ] || ct_is_environment "$ct_path" || [ -z "$(ct_maker "$ct_path")" ] || ct_list_environment "$ct_path"
    done
    for ct_each in "$ct_pool"/.failed-*; do
        [ -d "$ct_each" ] && [ ! -e "$ct_pool/.lock-${ct_each##*/.failed-}" ] || continue
        ct_read "$ct_each/by"
        ct_say environment "${ct_each##*/.failed-}|failed|$(ct_changed "$ct_each/by")|$(ct_size "$ct_each")||${ct_value%,*}"
        [ ! -f "$ct_each/.about" ] || ct_lines about "$(cat "$ct_each/.about")"
    done
}

ct_env() {
    ct_login
    ct_find_base
    ct_pool=$ct_base/.environments
    ct_say done ready
    while read -r ct_verb ct_key; do
        # What runs now, and not what ran when it was listed.
        scheduler_note_active \
            || ct_fail 69 "the scheduler on $(uname -n) cannot say which jobs run" "$ct_active"
        case $ct_verb in
            list) ct_list_environments ;;
            remove)
                case $ct_key in
                    *[!0-9a-f-]*) ct_say kept "it has no name of ours" ;;
                    *)
                        ! ct_is_environment "$ct_pool/$ct_key" || ct_remove_environment "$ct_pool/$ct_key"
                        rm -rf "$ct_pool/.failed-$ct_key"
                        ;;
                esac
                ;;
        esac
        ct_say done "$ct_verb"
    done
}
ct_env
