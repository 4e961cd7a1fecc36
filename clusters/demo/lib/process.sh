# shellcheck shell=bash
# Daemons: started detached, recorded with their start time, and ended by that record. Nothing is ever looked up by name.

# Every daemon, and through it every SSH session and job, carries this variable. It is how `down` finds the processes of
# jobs, which leave their daemon's process group, and only those of this cluster.
COOKIE_NAME=CLUSTER_TOOLS_DEMO
# The same for the processes of one node.
# shellcheck disable=SC2034 # used by lib/slurm.sh and fault
NODE_COOKIE_NAME=CLUSTER_TOOLS_DEMO_NODE

# The time a process started, in clock ticks since boot; nothing when there is no such process. The second field of
# `stat` may hold spaces and parentheses, so count from the last one.
start_time() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [ "$1" != Z ] || return 1
    printf '%s\n' "${20}"
}

# Usage: daemon_pid NAME: its process id, when it is alive and still the process that was recorded.
daemon_pid() {
    local pid started
    [ -f "$STATE/pids/$1" ] || return 1
    read -r pid started <"$STATE/pids/$1" || return 1
    [ "$(start_time "$pid")" = "$started" ] || return 1
    printf '%s\n' "$pid"
}

alive() { daemon_pid "$1" >/dev/null; }

# Usage: host_prefix HOST: sets PREFIX to what enters the host; "here" is this machine. nsenter becomes the command it is
# given, so a daemon started through it keeps the process id that was recorded.
host_prefix() {
    if [ "$1" = here ] || [ -z "$HOSTS" ]; then
        PREFIX=()
    else
        PREFIX=(nsenter --target "$(daemon_pid "host-$1")" --net --uts --mount)
    fi
}

# Usage: on_host HOST COMMAND...
on_host() {
    host_prefix "$1"
    shift
    "${PREFIX[@]}" "$@"
}

# Usage: start_daemon NAME HOST USER [VARIABLE=VALUE...] COMMAND...
start_daemon() {
    local name=$1 host=$2 account=$3 pid
    shift 3
    host_prefix "$host"
    if [ "$account" != "$(id -un)" ]; then
        PREFIX+=(setpriv --reuid "$account" --regid "$(id -g "$account")" --clear-groups)
    fi
    # A background process of a script ignores SIGINT, and so would every job: --default-signal undoes that. `env -i`
    # keeps this terminal's environment, with whatever secrets it holds, out of the cluster.
    (
        cd /
        exec 9>&-
        exec setsid "${PREFIX[@]}" env -i --default-signal \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            HOME="$HOME_FOLDER" USER="$account" LOGNAME="$account" LANG=C.UTF-8 \
            SLURM_CONF="$STATE/slurm.conf" "$COOKIE_NAME=$STATE" "$@"
    ) </dev/null >>"$STATE/log/$name.log" 2>&1 &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$STATE/pids/$name"
    disown "$pid"
}

# Usage: await_daemon NAME SECONDS TEST...: waits until the test succeeds; a daemon that died, or takes too long, is an
# error with the end of its log.
await_daemon() {
    local name=$1 seconds=$2
    shift 2
    # shellcheck disable=SC2317 # called by wait_for
    daemon_ready() { ! alive "$name" || "$@"; }
    if wait_for "$seconds" daemon_ready "$@" && alive "$name"; then return; fi
    if alive "$name"; then
        say "$name did not come up within $seconds seconds. The end of its log ($STATE/log/$name.log):"
    else
        say "$name ended by itself. The end of its log ($STATE/log/$name.log):"
    fi
    tail -n 15 "$STATE/log/$name.log" | sed 's/^/    /' >&2
    fail "$name could not be started"
}

# Usage: stop_daemon NAME: TERM, and KILL after five seconds. Fine when it is not running.
stop_daemon() {
    local pid
    if pid=$(daemon_pid "$1"); then
        kill -CONT "$pid" 2>/dev/null
        kill -TERM "$pid" 2>/dev/null
        # shellcheck disable=SC2317 # called by wait_for
        daemon_gone() { ! alive "$1"; }
        if ! wait_for 5 daemon_gone "$1"; then kill -KILL "$pid" 2>/dev/null; fi
    fi
    rm -f "$STATE/pids/$1"
}

# All descendants of the given processes, without themselves.
descendants() {
    ps -e -o pid= -o ppid= | awk -v roots="$*" '
        BEGIN { n = split(roots, r, " "); for (i = 1; i <= n; i++) found[r[i]] = 1 }
        { parent[$1] = $2 }
        END {
            do { more = 0
                for (p in parent) if (!(p in found) && (parent[p] in found)) { found[p] = 1; new[p] = 1; more = 1 }
            } while (more)
            for (p in new) print p
        }'
}

# The processes of this cluster: its daemons, those that carry its cookie, and the descendants of both (sshd writes over
# its environment; a job may have cleared its own). Never this script or a shell it was called from: `down` may be typed
# inside a session of the demo.
cluster_processes() {
    local pid file roots="" spared=" $$ $BASHPID "
    pid=$PPID
    while [ "${pid:-0}" -gt 1 ]; do
        spared="$spared$pid "
        pid=$(ps -o ppid= -p "$pid" | tr -d ' ')
    done
    for file in "$STATE"/pids/*; do
        if pid=$(daemon_pid "${file##*/}"); then roots="$roots $pid"; fi
    done
    # -z: the environment is a list of zero-terminated strings, to be matched whole. Other users' are unreadable.
    roots="$roots $(grep -lzxF -- "$COOKIE_NAME=$STATE" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n')"
    # shellcheck disable=SC2086
    for pid in $roots $(descendants $roots); do
        case $spared in *" $pid "*) ;; *) printf '%s %s\n' "$pid" "$(start_time "$pid")" ;; esac
    done | sort -u
}

# Of the processes on standard input, "PID START" a line, those that still live.
still_alive() {
    local pid started
    while read -r pid started; do
        if [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]; then printf '%s ' "$pid"; fi
    done
}

# Usage: end_leftovers PROCESSES: ends those of an earlier `cluster_processes` that survived their daemons, and any that
# were started since: jobs whose slurmd had died, SSH sessions, what they left in the background.
end_leftovers() {
    local pids signal
    leftovers() { still_alive <<<"$1
$(cluster_processes)"; }
    # shellcheck disable=SC2317 # called by wait_for
    no_leftovers() { [ -z "$(leftovers "$1")" ]; }
    # A process may fork while it is listed: look again until none is left.
    for signal in TERM KILL KILL KILL; do
        pids=$(leftovers "$1")
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086
        kill "-$signal" $pids 2>/dev/null
        wait_for 2 no_leftovers "$1" && return
    done
}

# Usage: free_ports COUNT: prints that many even numbers of TCP ports, below the range the system hands out itself; nobody
# listens on them or on the odd ones that follow, which a second node takes. Chosen at random, so two clusters that start at
# once do not meet.
free_ports() {
    local taken port chosen=""
    taken=" $(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '{ n = split($2, a, ":"); printf "%s ", a[n] }')"
    while [ "$(printf '%s' "$chosen" | wc -w)" -lt "$1" ]; do
        port=$((20000 + 2 * ((RANDOM * 32768 + RANDOM) % 6000)))
        case "$taken$chosen" in
            *" $(printf '%04X' "$port") "* | *" $(printf '%04X' $((port + 1))) "* | *" $port "*) continue ;;
        esac
        chosen="$chosen $port "
    done
    printf '%s\n' "$chosen"
}
