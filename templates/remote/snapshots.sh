# Snapshots that are kept, so that the next submission need not send what is there. Below the folder for runs, for each project:
#   .snapshots/PROJECT/KEY            one, with a folder `code` and a file `stamp` that is as old as the newest file of it.
#                                     It is never handed out.
#   .snapshots/PROJECT/KEY.spare-TOKEN  a copy of it, ready to become a run's code by a rename
#   .snapshots/PROJECT/.making-KEY-TOKEN  what a submission is making into both, once its job is submitted
# All that is taken from there is a copy, or is there no more: what a job does to its files changes none of it. Set before:
#   ct_key, ct_names            this snapshot, and the lines that `find code` has for it; no key where it is not to be kept
#   ct_kilobytes                its size
#   ct_base_key, ct_base_names  the same of the one that it is sent as a difference from; no key where it is sent as a whole
#   ct_codec                    what the archive is compressed with: gzip or zstd
#   ct_removals()               prints what has to go from that one, for xargs

# How many are kept of a project, the least recently used go first.
ct_most_kept=2

ct_find_pool() { ct_pool=$ct_base/.snapshots/$ct_project; }

# ct_copy FROM TO: shares the blocks until they are written to, where the file system can.
ct_copy() {
    cp -pPR --reflink=auto "$1" "$2" 2>/dev/null && return 0
    rm -rf "$2"
    cp -pPR "$1" "$2" 2>/dev/null && return 0
    rm -rf "$2"
    return 1
}

# ct_is_whole FOLDER LINES: whether all names are there, and nobody has written to a file.
ct_is_whole() (
    cd "$1" 2>/dev/null && [ -f stamp ] || exit 1
    # One walk for both: no path has two slashes.
    ct_lines=$(find code -print -type f -newer stamp -exec echo //newer {} + \
        | awk '/\/\/newer/ { newer = 1 } END { print newer ? "newer" : NR }')
    [ "$ct_lines" = "$2" ]
)

# ct_take_base: makes a kept snapshot the code in ct_incoming, without what has to go; false when it is not there any more.
ct_take_base() {
    ct_have find && ct_have cp && ct_have xargs && ct_have awk || return 1
    ct_find_pool
    ct_taken=$ct_incoming/base
    ct_tries=0
    until ct_take_spare || { [ -d "$ct_pool/$ct_base_key" ] && ct_copy "$ct_pool/$ct_base_key" "$ct_taken"; }; do
        # The submission before this one may still be at it.
        set -- "$ct_pool/.making-$ct_base_key"-*
        [ -d "$1" ] && [ "$ct_tries" -lt 20 ] || return 1
        ct_tries=$((ct_tries + 1))
        sleep 1
    done
    if ! ct_is_whole "$ct_taken" "$ct_base_names"; then
        rm -rf "$ct_taken" "$ct_pool/$ct_base_key" "$ct_pool/$ct_base_key".spare-*
        return 1
    fi
    (cd "$ct_taken" && ct_removals | xargs rm -rf) && mv "$ct_taken/code" "$ct_incoming/code" && rm -rf "$ct_taken"
}

ct_take_spare() {
    for ct_spare in "$ct_pool/$ct_base_key".spare-*; do
        # Of two that want it one has it.
        [ -d "$ct_spare" ] && mv "$ct_spare" "$ct_taken" 2>/dev/null && return 0
    done
    return 1
}

# Whether this snapshot can be kept: not where that could leave others without room.
ct_can_keep() {
    [ -n "$ct_key" ] && ct_have find && ct_have cp && ct_have xargs && ct_have awk && ct_have tee && ct_have df || return 1
    ct_free=$(df -Pk "$ct_folder" 2>/dev/null | { while read -r ct_a ct_b ct_c ct_d ct_e; do ct_f=$ct_d; done; echo "$ct_f"; })
    case $ct_free in '' | *[!0-9]*) return 1 ;; esac
    [ "$ct_free" -gt $((ct_kilobytes * 5 + 65536)) ]
}

# ct_unpack [NAME...]: unpacks an archive from standard input in the current folder: all of it, or these.
ct_unpack() {
    case $ct_codec in
        zstd) zstd -dcq | tar -xpof - "$@" ;;
        *) tar -xpozf - "$@" ;;
    esac
}

# ct_receive: unpacks the archive that follows on standard input, and keeps it as it came where the snapshot is kept.
ct_receive() {
    if ct_can_keep; then
        (trap - PIPE; exec tee job/archive) | ct_unpack
    else
        ct_unpack
    fi
}

# Whether all has come: an archive that is cut off between two files looks whole to tar. Its last file is there to tell.
ct_has_end() { [ -e "$ct_incoming/job/.complete" ] && rm -f "$ct_incoming/job/.complete"; }

# ct_keep: makes what the job was submitted with into a kept snapshot, out of what was received: a job may be changing its own
# files by now. It takes a while, and nobody waits for it.
ct_keep() {
    [ -n "$ct_key" ] && [ -f "$ct_run/job/archive" ] || return 0
    umask 077
    ct_find_pool
    ct_scrap=$ct_pool/.making-$ct_key-$ct_token
    mkdir -p "$ct_scrap" && mv "$ct_run/job/archive" "$ct_scrap/archive" && ct_make_kept && ct_prune
    rm -f "$ct_run/job/archive"
    ct_discard
}

ct_make_kept() {
    cd "$ct_scrap" || return 1
    if [ -z "$ct_base_key" ] && [ -d "$ct_pool/$ct_key" ]; then
        # Sent as a whole while another submission was making it. The copy may have been used already.
        touch "$ct_pool/$ct_key"
        set -- "$ct_pool/$ct_key".spare-*
        [ ! -d "$1" ] && ct_copy "$ct_pool/$ct_key" spare && ct_is_whole spare "$ct_names" \
            && mv spare "$ct_pool/$ct_key.spare-$ct_token"
        return 0
    elif [ -z "$ct_base_key" ]; then
        mkdir new
    else
        # From here on it is ours alone.
        mv "$ct_pool/$ct_base_key" new && ct_is_whole new "$ct_base_names" || return 1
        rm -rf "$ct_pool/$ct_base_key".spare-*
        (cd new && ct_removals | xargs rm -rf) || return 1
    fi
    (cd new && ct_unpack code job/relay.py <../archive && touch -r job/relay.py stamp && rm -rf job) || return 1
    rm -f archive
    ct_is_whole new "$ct_names" || return 1
    ct_copy new spare && ct_is_whole spare "$ct_names" || return 1
    mv spare "$ct_pool/$ct_key.spare-$ct_token"
    [ -e "$ct_pool/$ct_key" ] || mv new "$ct_pool/$ct_key"
    touch "$ct_pool/$ct_key"
}

# ct_prune: removes what was not used for longest, more copies than one, and what was never finished.
ct_prune() {
    ct_count=0
    for ct_old in $(ls -1t "$ct_pool"); do
        case $ct_old in
            *.spare-*)
                [ -d "$ct_pool/${ct_old%.spare-*}" ] || rm -rf "${ct_pool:?}/$ct_old"
                set -- "$ct_pool/${ct_old%.spare-*}".spare-*
                [ $# -le 1 ] || rm -rf "${ct_pool:?}/$ct_old"
                ;;
            *)
                ct_count=$((ct_count + 1))
                [ "$ct_count" -le "$ct_most_kept" ] || rm -rf "${ct_pool:?}/$ct_old" "${ct_pool:?}/$ct_old".spare-*
                ;;
        esac
    done
    find "$ct_pool" -maxdepth 1 -name '.making-*' -mtime +0 -exec rm -rf {} + 2>/dev/null
}
