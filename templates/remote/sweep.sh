# Ends what is left of a job where no scheduler does: TERM, and KILL for what is still there GRACE seconds later.
#   sweep.sh LEADER RUN GRACE [DETACHED]
# To a job belong its process group (LEADER is its number; empty when that may be somebody else's by now) and, where there is
# /proc, whatever has left the group but was started with the job's mark in its environment, as a daemon is.

# Without the mark, or it would wait for its own end.
unset SUBMIT_RUN
# Not within the group that is to be ended, nor that of whoever asked for it.
if [ -z "${4:-}" ]; then
    if command -v setsid >/dev/null 2>&1; then
        exec setsid /bin/sh "$0" "$1" "$2" "$3" yes
    elif command -v perl >/dev/null 2>&1; then
        exec perl -e 'use POSIX; POSIX::setsid(); exec @ARGV' /bin/sh "$0" "$1" "$2" "$3" yes
    fi
fi
leader=$1
mark=SUBMIT_RUN=$2
grace=$3
trap '' HUP INT TERM

# What is left, in the words of kill: the group, and the numbers of processes outside of it.
left() {
    [ -n "$leader" ] && kill -0 "-$leader" 2>/dev/null && echo "-$leader"
    for each in $(grep -lF "$mark" /proc/[0-9]*/environ 2>/dev/null); do
        each=${each%/environ}
        # The group is the third field after the name, which is in parentheses and may hold anything but, for us, line breaks.
        IFS= read -r line 2>/dev/null <"$each/stat" || continue
        set -- ${line##*) }
        # A zombie has ended.
        [ "$1" = Z ] || [ -n "$leader" ] && [ "$3" = "$leader" ] || echo "${each#/proc/}"
    done
}

# One signal to all: who gets it twice may take the second for impatience.
for each in $(left); do kill -TERM "$each" 2>/dev/null; done
while [ "$grace" -gt 0 ] && [ -n "$(left)" ]; do
    sleep 1
    grace=$((grace - 1))
done
for each in $(left); do kill -KILL "$each" 2>/dev/null; done
