# Lists and removes what submissions left, by requests, a line each on standard input. Set before: ct_bases(), which prints
# further folders for runs, a line each: jobs that were submitted with another untar_path are there.
#   list                     run FOLDER|NAME|ACTIVE|LAST|EXIT|KILOBYTES|RESULTS|PULLED for each run, FOLDER a number of `base`
#                            environment FOLDER|NAME|LAST|KILOBYTES|WHY where there is a reason to keep it, leftover FOLDER|NAME|LAST|KILOBYTES
#   run FOLDER NAME          removes that run: `kept WHY` when it has not
#   environment FOLDER NAME  the same for a virtual environment
#   leftover FOLDER NAME     for a folder that an interrupted program has left
# Every answer ends with a line `done`. Only what has the marks of our own making is listed, or removed; nothing behind a
# symbolic link is; and it is looked at once more before it goes.

# ct_is_run PATH: whether a submission has made it.
ct_is_run() {
    [ -d "$1" ] && [ ! -L "$1" ] && [ ! -L "${1%/*}" ] && [ ! -L "$1/job" ] && [ -d "$1/job" ] && [ -d "$1/code" ] \
        && [ -f "$1/sbatch_script.sh" ] && [ -e "$1/job/claim" ] || return 1
    case ${1##*/} in
        [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]-*) ;;
        *) return 1 ;;
    esac
}

ct_is_leftover() { [ -d "$1" ] && [ ! -L "$1" ]; }

# When the job of a run ended, or was last heard of, in ct_last; its exit status, of an array a bad one, in ct_exit.
ct_look_at_end() {
    ct_last= ct_exit=
    for ct_file in "$1"/job/end "$1"/job/[0-9]*/end; do
        ct_read "$ct_file" || continue
        case $ct_value in '' | *[!0-9]*) continue ;; esac
        [ "$ct_value" -gt "${ct_last:-0}" ] && ct_last=$ct_value
    done
    for ct_file in "$1"/job/exit "$1"/job/[0-9]*/exit; do
        ct_read "$ct_file" && { [ "${ct_exit:-0}" = 0 ] && ct_exit=$ct_value; }
    done
    [ -n "$ct_last" ] || ct_last=$(ct_changed "$1/job")
}

# Whether the command has written files that are nowhere else.
ct_has_results() {
    [ -n "$(find "$1/code" -type f -newer "$1/job/claim/owner" 2>/dev/null | head -n 1)" ] || [ ! -e "$1/job/claim/owner" ]
}

ct_yes() { if "$@"; then echo yes; else echo no; fi; }

ct_list_base() {
    for ct_path in "$2"/*/[0-9]*-[0-9]*-*; do
        if ! ct_is_run "$ct_path"; then
            # What a submission left that was killed while an environment was made for it.
            if ct_is_leftover "$ct_path" && [ -f "$ct_path/job/environment.log" ] && [ ! -e "$ct_path/job/claim" ]; then
                ct_say leftover "$1|${ct_path#"$2"/}|$(ct_changed "$ct_path/job/environment.log")|$(ct_size "$ct_path")"
            fi
            continue
        fi
        ct_name=${ct_path#"$2"/}
        ct_look_at_end "$ct_path"
        ct_say run "$1|$ct_name|$(ct_yes scheduler_is_active "$ct_path")|$ct_last|$ct_exit|$(ct_size "$ct_path")|$(
            ct_yes ct_has_results "$ct_path")|$(ct_yes [ -e "$ct_path/job/pulled" ])"
    done
    for ct_path in "$2"/.environments/*; do
        ct_is_environment "$ct_path" || continue
        # One without the mark is only begun, or was left.
        ct_file=$ct_path/.complete
        [ -e "$ct_file" ] || ct_file=$ct_path
        ct_say environment "$1|${ct_path##*/}|$(ct_changed "$ct_file")|$(ct_size "$ct_path")|$(ct_why_kept "$ct_path")"
    done
    for ct_path in "$2"/*/.incoming-* "$2"/*/.given-up-* "$2"/*/.removing-* "$2"/.board-* "$2"/.environments/.failed-* \
        "$2"/.environments/.removing-*; do
        ct_is_leftover "$ct_path" || continue
        ct_say leftover "$1|${ct_path#"$2"/}|$(ct_changed "$ct_path")|$(ct_size "$ct_path")"
    done
}

ct_list() {
    ct_number=0
    { printf '%s\n' "$ct_base"; ct_bases; } | while IFS= read -r ct_folder; do
        ct_say base "$ct_number|$ct_folder"
        [ ! -d "$ct_folder" ] || ct_list_base "$ct_number" "$ct_folder"
        ct_number=$((ct_number + 1))
    done
}

# ct_find FOLDER NAME: the path of what is to go, in ct_path. Names are our own words: two components at most, no dots only.
ct_find() {
    case $2 in */*/* | /* | . | .. | */. | */.. | ./* | ../*) ct_say kept "it has no name of ours"; return 1 ;; esac
    ct_folder=$({ printf '%s\n' "$ct_base"; ct_bases; } | sed -n "$(($1 + 1))p")
    ct_path=$ct_folder/$2
}

ct_clean() {
    ct_login
    ct_find_base
    ct_say done ready
    while IFS= read -r ct_request; do
        set -f
        set -- $ct_request
        set +f
        ct_verb=$1
        # What runs now, and not what ran when it was listed.
        scheduler_note_active \
            || ct_fail 69 "the scheduler on $(uname -n) cannot say which jobs run: nothing is removed" "$ct_active"
        case $ct_verb in
            list) ct_list ;;
            run)
                ct_find "$2" "$3" && if ! ct_is_run "$ct_path"; then
                    ct_say kept "it is no run folder any more"
                elif scheduler_is_active "$ct_path"; then
                    ct_say kept "its job has not ended"
                else
                    ct_remove "$ct_path"
                fi
                ;;
            environment)
                ct_find "$2" ".environments/$3" && ct_is_environment "$ct_path" && ct_remove_environment "$ct_path"
                ;;
            leftover)
                ct_find "$2" "$3" && ct_is_leftover "$ct_path" && ct_remove "$ct_path"
                ;;
        esac
        ct_say done "$ct_verb"
    done
}
ct_clean
