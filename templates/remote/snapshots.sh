# Snapshots that are kept, so that the next submission need not send what is there. Below the folder for runs, for each project:
#   .snapshots/PROJECT/KEY            one, with a folder `code` and a file `stamp` that names it and is as old as its newest file.
#                                     It is never handed out.
#   .snapshots/PROJECT/KEY.spare-*    copies of it, ready to become a run's code by a rename
#   .snapshots/PROJECT/.making-KEY-TOKEN  what a submission is making into both, once its job is submitted
# All that is taken from there is a copy, or is there no more: what a job does to its files changes none of it. Set before:
#   ct_key, ct_names            this snapshot, and the lines that `find code` has for it; no key where it is not to be kept
#   ct_kilobytes                its size
#   ct_base_key, ct_base_names  the same of the one that it is sent as a difference from; no key where it is sent as a whole
#   ct_codec                    what the archive is compressed with: gzip or zstd
#   ct_removals()               prints what has to go from that one, for xargs

# How many are kept of a project, the least recently used go first.
ct_most_kept=2
# How many copies there are of the latest: whoever submits twice within seconds need not wait until one is made.
ct_most_spares=2
# How many processes copy at once.
ct_copiers=4

ct_find_pool() { ct_pool=$ct_base/.snapshots/$ct_project; }

# ct_copy FROM TO: shares the blocks until they are written to, where the file system can. TO is not there before, or empty.
ct_copy() {
    mkdir -p "$2" && ct_to=$(cd "$2" && pwd) || return 1
    ct_copy_at_once "$1" "$ct_to" 2>/dev/null && return 0
    rm -rf "$2"
    cp -pPR --reflink=auto "$1" "$2" 2>/dev/null && return 0
    rm -rf "$2"
    cp -pPR "$1" "$2" 2>/dev/null && return 0
    rm -rf "$2"
    return 1
}

# ct_copy_at_once FROM TO: with several processes, for what takes long is to make the files. Needs GNU's cp.
ct_copy_at_once() (
    cd "$1" || exit 1
    # The folders first: of two processes that make the same one, one would fail.
    find . -type d -print0 | tar -cf - --no-recursion --null -T - | (cd "$2" && tar -xpf -) || exit 1
    find . ! -type d -print0 | xargs -0 -n 500 -P "$ct_copiers" cp -pP --reflink=auto --parents -t "$2"
)

# ct_is_whole FOLDER KEY LINES: whether it is this one, all names are there, and nobody has written to a file.
ct_is_whole() (
    cd "$1" 2>/dev/null && [ -f stamp ] && IFS= read -r ct_name <stamp && [ "$ct_name" = "$2" ] || exit 1
    # One walk for both: no path has two slashes.
    ct_lines=$(find code -print -type f -newer stamp -exec echo //newer {} + \
        | awk '/\/\/newer/ { newer = 1 } END { print newer ? "newer" : NR }')
    [ "$ct_lines" = "$3" ]
)

# ct_nap: a tenth of a second, or a second where sleep knows no less; counts the tenths in ct_napped.
ct_nap() {
    ct_napped=$((ct_napped + 1))
    sleep 0.1 2>/dev/null || { ct_napped=$((ct_napped + 9)); sleep 1; }
}

# ct_is_in_making KEY: whether another submission is at it.
ct_is_in_making() {
    for ct_other in "$ct_pool/.making-$1"-*; do
        [ -d "$ct_other" ] && [ "$ct_other" != "$ct_scrap" ] && return 0
    done
    return 1
}

# ct_take_base: makes a kept snapshot the code in ct_incoming, without what has to go; false when it is not there any more.
ct_take_base() {
    ct_have find && ct_have cp && ct_have xargs && ct_have awk || return 1
    ct_find_pool
    ct_taken=$ct_incoming/base
    ct_napped=0
    until ct_take_spare || { [ -d "$ct_pool/$ct_base_key" ] && ct_copy "$ct_pool/$ct_base_key" "$ct_taken"; }; do
        # The submission before this one may still be at it.
        ct_is_in_making "$ct_base_key" && [ "$ct_napped" -lt 200 ] || return 1
        ct_nap
    done
    if ! ct_is_whole "$ct_taken" "$ct_base_key" "$ct_base_names"; then
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

# What is wanted most comes first: whoever submits again soon needs a copy.
ct_make_kept() {
    cd "$ct_scrap" || return 1
    ct_spares=0
    if [ -z "$ct_base_key" ] && [ -d "$ct_pool/$ct_key" ]; then
        # Sent as a whole while another submission was making it. The copies may have been used already.
        touch "$ct_pool/$ct_key"
        set -- "$ct_pool/$ct_key".spare-*
        [ -d "$1" ] || ct_offer_copy_of "$ct_pool/$ct_key"
        return 0
    elif [ -z "$ct_base_key" ]; then
        mkdir new
    else
        ct_napped=0
        until [ -d "$ct_pool/$ct_base_key" ]; do
            ct_is_in_making "$ct_base_key" && [ "$ct_napped" -lt 600 ] || return 1
            ct_nap
        done
        # From here on it is ours alone.
        mv "$ct_pool/$ct_base_key" new && ct_is_whole new "$ct_base_key" "$ct_base_names" || return 1
        for ct_spare in "$ct_pool/$ct_base_key".spare-*; do
            mv "$ct_spare" spare 2>/dev/null || continue
            [ "$ct_spares" -lt "$ct_most_spares" ] && ct_is_whole spare "$ct_base_key" "$ct_base_names" \
                && ct_update spare && ct_offer
            rm -rf spare
        done
    fi
    ct_update new || return 1
    rm -f archive
    while [ "$ct_spares" -lt "$ct_most_spares" ]; do
        # There may be room for one only.
        ct_offer_copy_of new || { [ "$ct_spares" -gt 0 ] && break || return 1; }
    done
    [ -e "$ct_pool/$ct_key" ] || mv new "$ct_pool/$ct_key"
    touch "$ct_pool/$ct_key"
}

# ct_update FOLDER: makes what we were sent the difference from into what we were sent.
ct_update() {
    (cd "$1" && ct_removals | xargs rm -rf && ct_unpack code job/relay.py <../archive \
        && printf '%s\n' "$ct_key" >stamp && touch -r job/relay.py stamp && rm -rf job) \
        && ct_is_whole "$1" "$ct_key" "$ct_names"
}

# ct_offer: lets others have the folder `spare`.
ct_offer() {
    ct_spares=$((ct_spares + 1))
    mv spare "$ct_pool/$ct_key.spare-$ct_token-$ct_spares"
}

ct_offer_copy_of() { ct_copy "$1" spare && ct_is_whole spare "$ct_key" "$ct_names" && ct_offer; }

# ct_prune: removes what was not used for longest, all copies of it but one, and what was never finished.
ct_prune() {
    ct_count=0
    for ct_old in $(ls -1t "$ct_pool"); do
        case $ct_old in *.spare-*) continue ;; esac
        ct_count=$((ct_count + 1))
        [ "$ct_count" -le "$ct_most_kept" ] || rm -rf "${ct_pool:?}/$ct_old"
        [ "$ct_count" -gt 1 ] || continue
        set -- "$ct_pool/$ct_old".spare-*
        shift
        [ $# -eq 0 ] || rm -rf "$@"
    done
    for ct_old in "$ct_pool"/*.spare-*; do
        ct_of=${ct_old##*/}
        ct_of=${ct_of%.spare-*}
        ct_is_in_making "$ct_of" || [ -d "$ct_pool/$ct_of" ] || rm -rf "$ct_old"
    done
    find "$ct_pool" -maxdepth 1 -name '.making-*' -mtime +0 -exec rm -rf {} + 2>/dev/null
}
