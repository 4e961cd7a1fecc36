# Runs within a job, on its worker, under any /bin/sh: keeps a shell there that outlives the connections to it. Arguments:
#   OWN SHELL [again]
# OWN is the folder of the job's state files, SHELL the text of a program that becomes the shell. The first line that it prints
# says where the shell is: `tmux PLACE`, `screen PLACE`, `nothing` where neither is to be had, or `gone STATUS` when it is to be
# found again and has ended. It stays as long as the shell.

hold_own=$1 hold_shell=$2 hold_again=${3:-}
umask 077
hold_record=$hold_own/.shell-${SLURMD_NODENAME:-$(uname -n)}

# hold_lives WHERE: whether the shell is still there.
hold_lives() {
    case $1 in
        tmux\ *) tmux -S "${1#* }/s" has-session -t shell ;;
        screen\ *) SCREENDIR=${1#* } screen -ls | grep -q '[.]shell' ;;
        *) false ;;
    esac >/dev/null 2>&1
}

# hold_answer LINE: the first and last thing that is printed: nobody reads any more.
hold_answer() {
    printf '%s\n' "$1"
    exec >/dev/null 2>&1 </dev/null
}

unset TMUX TMUX_PANE STY
if [ -r "$hold_record" ] && IFS= read -r hold_where <"$hold_record"; then
    if hold_lives "$hold_where"; then hold_answer "$hold_where"; exit 0; fi
    rm -rf "$hold_record" "${hold_where#* }"
fi
if [ -n "$hold_again" ]; then
    hold_status=
    [ ! -r "$hold_record.status" ] || IFS= read -r hold_status <"$hold_record.status"
    hold_answer "gone $hold_status"
    exit 0
fi
for hold_tool in tmux screen nothing; do ! command -v "$hold_tool" >/dev/null 2>&1 || break; done
[ "$hold_tool" != nothing ] || { hold_answer nothing; exit 0; }
# The name of a socket may not be long, and goes through a shell of its own.
hold_folder=${TMPDIR:-/tmp}
case $hold_folder in *[!A-Za-z0-9/._-]*) hold_folder=/tmp ;; esac
[ "${#hold_folder}" -lt 70 ] && [ -w "$hold_folder" ] || hold_folder=/tmp
hold_place=$(mktemp -d "$hold_folder/ct-XXXXXX" 2>/dev/null) || { hold_answer nothing; exit 0; }
printf 'echo $$ >%s/leader\n%s\n' "$hold_place" "$hold_shell" >"$hold_place/shell"

# Neither is to be noticed: no line of status, no key of its own, and what scrolls away goes where the terminal keeps it.
case $hold_tool in
    tmux)
        cat >"$hold_place/conf" <<'END'
set -g status off
set -g prefix None
set -g prefix2 None
unbind-key -a
set -sg escape-time 20
set -g history-limit 10000
set -g default-terminal screen-256color
set -ga terminal-overrides ',*:smcup@:rmcup@'
END
        tmux -S "$hold_place/s" -f "$hold_place/conf" new-session -d -s shell "exec /bin/sh '$hold_place/shell'" 2>/dev/null
        ;;
    screen)
        cat >"$hold_place/conf" <<'END'
startup_message off
vbell off
deflogin off
defscrollback 10000
termcapinfo * ti@:te@
escape ""
END
        SCREENDIR=$hold_place screen -c "$hold_place/conf" -d -m -S shell /bin/sh "$hold_place/shell" 2>/dev/null
        ;;
esac
# screen comes to be a moment after its command has ended.
hold_tries=0
until hold_lives "$hold_tool $hold_place" || [ "$hold_tries" -ge 5 ]; do
    sleep 1
    hold_tries=$((hold_tries + 1))
done
# Somebody else who wants one may be as fast.
if ! hold_lives "$hold_tool $hold_place" || ! (set -C && printf '%s\n' "$hold_tool $hold_place" >"$hold_record") 2>/dev/null; then
    [ "$hold_tool" != tmux ] || tmux -S "$hold_place/s" kill-server 2>/dev/null
    [ "$hold_tool" != screen ] || SCREENDIR=$hold_place screen -S shell -X quit >/dev/null 2>&1
    rm -rf "$hold_place"
    hold_where=nothing
    [ ! -r "$hold_record" ] || IFS= read -r hold_where <"$hold_record"
    hold_answer "$hold_where"
    exit 0
fi
hold_answer "$hold_tool $hold_place"

# hold_rest: what runs on the shell's terminal.
hold_rest() {
    IFS= read -r hold_leader <"$hold_place/leader" || return 0
    for hold_process in /proc/[0-9]*; do
        IFS= read -r hold_line <"$hold_process/stat" || continue
        # State, parent, group and session.
        set -- ${hold_line##*) }
        [ "${4:-}" != "$hold_leader" ] || echo "${hold_process#/proc/}"
    done
} 2>/dev/null

hold_end() {
    trap '' HUP INT TERM
    [ "$hold_tool" != tmux ] || tmux -S "$hold_place/s" kill-server
    [ "$hold_tool" != screen ] || SCREENDIR=$hold_place screen -S shell -X quit
    rm -rf "$hold_record" "$hold_place"
}

# The job ends. What keeps the shell is a daemon by now, which not every site's Slurm knows to be of this step; and a shell leaves
# something in its background. All of it ends with the job.
hold_stop() {
    trap '' HUP INT TERM
    hold_all=$(hold_rest)
    hold_end
    [ -z "$hold_all" ] || { kill -HUP $hold_all; sleep 1; kill -KILL $hold_all; } 2>/dev/null
    exit 0
}
trap hold_stop HUP INT TERM

# A step ends, and all that it has started, with what it runs.
while hold_lives "$hold_tool $hold_place"; do
    if [ "$hold_tool" = tmux ]; then tmux -S "$hold_place/s" wait-for over & else sleep 5 & fi
    wait "$!" || sleep 1
done
hold_end
