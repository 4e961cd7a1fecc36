# One environment is made by one at a time, on whatever machine: for environment.sh. In the pool:
#   .lock-KEY    whoever makes it: `owner` (machine, process, who), `beat`, `log`
#   .failed-KEY  the log of a build that failed, and `by` whom
# The lock is a folder, since flock on network file systems is not for all nodes, or not there at all. Its owner writes `beat` every
# few seconds; one that does not change for two minutes, by the clock of whoever waits, belongs to somebody who is gone.

patience=${SUBMIT_ENVIRONMENT_PATIENCE:-120}
lock='' child=''

# This machine since it was started, as a word.
machine() { printf '%s/%s' "$(uname -n)" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"; }

# own: says that the lock is ours.
own() {
    printf '%s %s %s\n' "$(machine)" "$$" "$who" >"$lock/owner.$$" && mv -f "$lock/owner.$$" "$lock/owner" \
        || fail 74 "$lock cannot be written"
}

# owner_of LOCK: a lock that is only just made, or only just gone, says none; one whose owner died at once neither.
nobody='? ? somebody'
owner_of() { cat "$1/owner" 2>/dev/null || echo "$nobody"; }

# is_gone: whether the owner of the lock that we wait for, in `owner`, has died.
is_gone() {
    set -- $owner
    [ "$1" != "$(machine)" ] || kill -0 "$2" 2>/dev/null || return 0
    now=$(cat "$waited/beat" 2>/dev/null)
    if [ "$now" != "$beat" ]; then
        beat=$now
        silent=0
    fi
    silent=$((silent + 1))
    [ "$silent" -gt "$patience" ]
}

# take_over: makes the lock of somebody who is gone ours. Of many who try, one does: whoever makes the folder in it. It may have been
# made ours by another meanwhile.
take_over() {
    if ! mkdir "$waited/heir" 2>/dev/null; then
        # An heir that died is nobody's hindrance either.
        silent=$((silent - 30))
        [ -z "$(find "$waited/heir" -prune -mmin +2 2>/dev/null)" ] || rmdir "$waited/heir" 2>/dev/null
        return 1
    fi
    if [ "$(owner_of "$waited")" != "$owner" ]; then
        rmdir "$waited/heir"
        return 1
    fi
    say "$title was being made by ${owner#* * }, which is gone; beginning anew"
    lock=$waited
    own
    rm -rf "$lock/heir" "$lock/scratch" "$lock/tools" "$lock/log" "$lock/status"
}

failure() { cat "$pool/.failed-$key/by" 2>/dev/null; }

# obtain: returns when the environment is there (1), or when it is ours to make (0).
obtain() {
    waited=$pool/.lock-$key
    title="the environment $key ($name)"
    before=$(failure) owner='' beat='' silent=0 told=''
    while :; do
        [ ! -e "$place/.complete" ] || return 1
        if [ "$(failure)" != "$before" ]; then
            say "$title could not be made by ${owner#* * }; the end of its log:"
            tail -n 20 "$pool/.failed-$key/log" >&2
            fail 69 "no environment; the whole log: $pool/.failed-$key/log"
        fi
        if mkdir "$waited" 2>/dev/null; then
            lock=$waited
            own
            # It may have been made since we looked.
            [ ! -e "$place/.complete" ] || { release; return 1; }
            return 0
        fi
        if [ ! -d "$waited" ]; then
            # A name of our own: that of the lock may come and go while others look.
            probe=$pool/.probe-$(uname -n)-$$
            out=$(mkdir -p "$pool" 2>&1 && mkdir "$probe" 2>&1 && rmdir "$probe") \
                || fail 73 "cannot make the folder for environments: $out"
            [ ! -e "$waited" ] || [ -d "$waited" ] || fail 73 "cannot make the folder for environments: $waited is a file"
            continue
        fi
        now=$(owner_of "$waited")
        [ "$now" = "$owner" ] || silent=0
        owner=$now
        if [ "$told" != "$owner" ] && [ "$owner" != "$nobody" ]; then
            told=$owner
            say "waiting for $title, which ${owner#* * } makes"
        fi
        if is_gone && take_over; then return 0; fi
        sleep 1
    done
}

release() {
    [ -z "$lock" ] || rm -rf "$lock"
    lock=''
}

# descendants PID: a process and all that it has started.
descendants() {
    { ps -A -o pid= -o ppid= 2>/dev/null || ps -o pid,ppid; } | awk -v root="$1" '
        { parent[$1] = $2 }
        END {
            wanted[root]
            do { more = 0; for (pid in parent) if (!(pid in wanted) && parent[pid] in wanted) { wanted[pid]; more = 1 } } while (more)
            for (pid in wanted) print pid
        }'
}

# leave: nothing half-made is left under its name, whatever ends us.
leave() {
    status=$?
    trap '' HUP INT TERM
    trap - EXIT
    if [ -n "$child" ]; then
        for each in $(descendants "$child"); do kill -s TERM "$each" 2>/dev/null; done
        wait "$child" 2>/dev/null
    fi
    if [ -n "$lock" ]; then
        scrap=$pool/.removing-$key-$$
        [ ! -e "$place" ] || mv "$place" "$scrap"
        mv "$lock" "$scrap-lock"
        rm -rf "$scrap" "$scrap-lock"
    fi
    exit "$status"
}

# show: what the build has said since the last time.
show() {
    tail -c "+$((shown + 1))" "$lock/log" >"$lock/new" 2>/dev/null
    cat "$lock/new" >&2
    shown=$((shown + $(wc -c <"$lock/new")))
}

make() {
    say "making $title"
    # What one that was killed has left may take a while to remove.
    [ ! -e "$place" ] || mv "$place" "$pool/.removing-$key-$$" || exit 73
    (build) </dev/null >"$lock/log" 2>&1 &
    child=$!
    shown=0 beats=0
    while kill -0 "$child" 2>/dev/null; do
        sleep 1
        show
        beats=$((beats + 1))
        [ $((beats % 3)) -ne 0 ] || printf '%s\n' "$beats" >"$lock/beat"
        read -r _ mine _ <"$lock/owner" 2>/dev/null
        if [ "$mine" != "$$" ]; then
            # Suspended for long, we were taken for dead. What is there now is another's.
            lock=''
            fail 75 "another has begun to make $title meanwhile"
        fi
    done
    wait "$child"
    made=$?
    child=''
    show
    if [ "$made" -ne 0 ]; then
        mkdir -p "$pool/.failed-$key" && describe >"$pool/.failed-$key/.about" && mv -f "$lock/log" "$pool/.failed-$key/log" \
            && printf '%s, %s\n' "$who" "$(date +%s)" >"$pool/.failed-$key/by.$$" && mv -f "$pool/.failed-$key/by.$$" "$pool/.failed-$key/by"
        fail 69 "$title could not be made; the whole log: $pool/.failed-$key/log"
    fi
    mv -f "$lock/log" "$place/.log"
    : >"$place/.complete"
    rm -rf "$pool/.failed-$key"
    release
    say "made $title"
}
