# Reads and writes files below one folder. Set before:
#   ct_root()     prints the folder; ct_variables: the variables that it needs
#   ct_do         what is to be done
#     list        tells what lies at paths, and below them. Standard input: paths
#     read        sends whole files, as tar archives one after the other. Standard input: paths
#     parts       sends files from an offset on. Standard input: OFFSET, SIZE and path of each
#     write       unpacks the archive on standard input; files appear under their names when it is complete
#     folders     gives folders their modes and times. Standard input: MODE, STAMP (as below) and path of each
#     mark        makes the empty file ct_path
#     append      adds standard input to a part file: see ct_append
# Paths begin with ./ and may hold any byte; on standard input each word ends with a NUL. What list, read and parts
# send comes after the line `done data`, up to the end of the output.

# A record for each path: TYPE MODE SIZE TIME PATH, a NUL, where a symbolic link leads, a NUL. TYPE is find's letter, or u for
# a folder that cannot be read.
ct_records='%y %m %s %T@ %p\0%l\0'

# The same where find has no -printf: for busybox and BSD.
ct_describe='
    ct_stat() { if [ -n "$ct_bsd" ]; then stat -f "%Xp %z %m" "$@"; else stat -c "%f %s %Y" "$@"; fi 2>/dev/null; }
    ct_bsd=
    stat -c %s / >/dev/null 2>&1 || ct_bsd=yes
    ct_record() {
        ct_mode=$((0x$1)) ct_kind=o ct_target=
        case $((ct_mode & 61440)) in
            32768) ct_kind=f ;;
            16384) ct_kind=d; [ -r "$4" ] && [ -x "$4" ] || ct_kind=u ;;
            40960) ct_kind=l; ct_target=$(readlink "$4"; printf x); ct_target=${ct_target%??} ;;
        esac
        printf "%s %o %s %s %s\\0%s\\0" "$ct_kind" "$((ct_mode & 4095))" "$2" "$3" "$4" "$ct_target"
    }
    ct_facts=$(ct_stat "$@")
    if [ "$(printf "%s\\n" "$ct_facts" | wc -l)" -eq $# ]; then
        while read -r ct_mode ct_size ct_time; do
            ct_record "$ct_mode" "$ct_size" "$ct_time" "$1"
            shift
        done <<END
$ct_facts
END
    else
        # One of them vanished: which one is not told.
        for ct_path; do ct_facts=$(ct_stat "$ct_path") && [ -n "$ct_facts" ] && ct_record $ct_facts "$ct_path"; done
    fi'

ct_list() {
    if find . -prune -printf '' 2>/dev/null; then
        # Paths where nothing is are no error: their records are missing.
        xargs -0 sh -c '[ $# -eq 0 ] || exec find "$@" -type d ! -readable -printf "u $ct_records" -prune -o -printf "$ct_records"' sh
    else
        xargs -0 sh -c '[ $# -eq 0 ] || exec find "$@" -exec sh -c "$ct_describe" sh {} +' sh
    fi 2>/dev/null
    # All of it was told.
    printf '. 0 0 0 .\0\0'
}

# ct_parts: for each file a line `part COUNT`, so many bytes, a line `size` with how long it was then; or a line `missing`.
ct_parts='
    ct_size=$({ wc -c <"$3"; } 2>/dev/null) && [ "$ct_size" -ge "$2" ] || { echo missing; exit 0; }
    ct_count=$(($2 - $1))
    echo part "$ct_count"
    # As many bytes as were announced, also of a file that is being cut off.
    { tail -c "+$(($1 + 1))" "$3"; cat /dev/zero; } 2>/dev/null | head -c "$ct_count"
    ct_size=$({ wc -c <"$3"; } 2>/dev/null)
    echo size "$((ct_size))"'

# ct_merge FOLDER PATH...: moves what is in these folders of the archive to their places below FOLDER: a new folder as a whole.
ct_merge='
    exec 2>&1
    ct_into=$1
    shift
    for ct_path; do
        # It has moved together with one above it.
        [ -d "$ct_path" ] || continue
        ct_place=$ct_into/$ct_path
        if [ -L "$ct_place" ] || { [ -e "$ct_place" ] && [ ! -d "$ct_place" ]; }; then
            echo "$ct_path: there is something else of this name"
        elif [ -d "$ct_place" ]; then
            find "$ct_path" -maxdepth 1 ! -type d \
                -exec sh -c "ct_place=\$1; shift; mv -f -- \"\$@\" \"\$ct_place/\"" sh "$ct_place" {} +
        else
            mv -- "$ct_path" "$ct_place"
        fi
    done'

ct_write() {
    ct_stage=$PWD/.push-$ct_token
    ct_out=$(mkdir "$ct_stage" 2>&1) || ct_fail 73 "cannot write in $PWD on $(uname -n)" "$ct_out"
    ct_scrap=$ct_stage
    trap ct_discard EXIT
    trap 'exit 1' HUP INT TERM
    ct_out=$(cd "$ct_stage" && tar -xpof - 2>&1) || ct_fail 74 "cannot write in $PWD on $(uname -n)" "$ct_out"
    # find itself complains about folders that have moved before it came to them.
    ct_out=$(cd "$ct_stage" && find . -type d -exec sh -c 'eval "$ct_merge"' sh "$OLDPWD" {} + 2>/dev/null | head -n 5)
    [ -z "$ct_out" ] || ct_fail 73 "not all of it could be written in $PWD on $(uname -n)" "$ct_out"
    ct_discard
    ct_say done written
}

# ct_append: ct_part is the part file of ct_path and must be ct_offset long. At ct_size it is complete: it gets the mode ct_mode and
# the time ct_stamp (UTC, for touch -t), and its name.
ct_append() {
    ct_out=$(mkdir -p "${ct_part%/*}" 2>&1) || ct_fail 73 "cannot write in ${ct_part%/*} on $(uname -n)" "$ct_out"
    [ ! -d "$ct_path" ] || ct_fail 73 "$ct_path is a folder on $(uname -n)"
    ct_size_now=0
    [ ! -f "$ct_part" ] || ct_size_now=$(wc -c <"$ct_part")
    [ "$ct_size_now" -eq "$ct_offset" ] || ct_fail 75 "something else writes $ct_path on $(uname -n)"
    ct_out=$(cat 2>&1 >>"$ct_part") || ct_fail 74 "cannot write $ct_path on $(uname -n)" "$ct_out"
    ct_size_now=$(wc -c <"$ct_part")
    [ "$ct_size_now" -eq "$ct_size" ] || ct_fail 75 "$ct_path is not complete on $(uname -n)"
    ct_out=$({ chmod "$ct_mode" "$ct_part" && TZ=UTC0 touch -m -t "$ct_stamp" "$ct_part" && mv -f "$ct_part" "$ct_path"; } 2>&1) \
        || ct_fail 73 "cannot write $ct_path on $(uname -n)" "$ct_out"
    ct_say done written
}

ct_files() {
    # The user's own settings of tar are not for this.
    unset TAR_OPTIONS GZIP
    export ct_records ct_describe ct_merge
    [ -z "$ct_variables" ] || ct_login
    ct_base=$(ct_root 2>&1) || ct_fail 66 "that folder is not known on $(uname -n)" "$ct_base"
    case $ct_do in
        write | append) ct_out=$(mkdir -p "$ct_base" 2>&1) || ct_fail 73 "cannot make $ct_base on $(uname -n)" "$ct_out" ;;
    esac
    ct_out=$(cd "$ct_base" 2>&1) || {
        # Nothing is there yet: that is no error for whoever wants to put something there.
        [ "$ct_do" != list ] || [ -z "$ct_may_lack" ] || { ct_say done data; printf '. 0 0 0 .\0\0'; exit 0; }
        ct_fail 66 "there is no folder $ct_base on $(uname -n)" "$ct_out"
    }
    cd "$ct_base" || exit 1
    case $ct_do in
        write) ct_write ;;
        append) ct_append ;;
        mark)
            ct_out=$({ : >"$ct_path"; } 2>&1) || ct_fail 73 "cannot write $ct_path on $(uname -n)" "$ct_out"
            ct_say done written
            ;;
        folders)
            xargs -0 -n 3 sh -c 'TZ=UTC0 touch -m -t "$2" "$3" && chmod "$1" "$3"' sh 2>/dev/null
            ct_say done written
            ;;
        *)
            ct_say done data
            case $ct_do in
                list) ct_list ;;
                read) xargs -0 sh -c '[ $# -eq 0 ] || exec tar -cf - "$@"' sh 2>/dev/null ;;
                parts) xargs -0 -n 3 sh -c "$ct_parts" sh ;;
            esac
            ;;
    esac
}
ct_files
