# Runs within a job, on its worker, under any /bin/sh: a shell, or a command, in the folder and the environment of the job's
# own command. Arguments:
#   TAG OWN FOLDER HOW [COMMAND [ARG...]]
# OWN is the folder of the job's state files. HOW:
#   terminal       the shell, or the command, on the terminal that this is
#   pipes          the command, with three streams
#   keep           a shell that is kept: how it ends is written to a file
#   tmux PLACE, screen PLACE   (as one word each) shows the shell that is kept there
# What it prints of its own begins with the tag: `begin` before what runs, and `end STATUS` after it, or `left` when the kept
# shell goes on, or `lost` when it was killed; `gone` in place of all that when there is none.

inside_status_file=$2/.shell-${SLURMD_NODENAME:-$(uname -n)}.status
inside_tag=$1 inside_own=$2 inside_folder=$3 inside_how=$4
shift 4

# The environment of the job's command; which devices this step has it knows better.
inside_environment=$inside_own/.environment
inside_devices=${CUDA_VISIBLE_DEVICES-unknown}
if [ -r "$inside_environment" ]; then
    . "$inside_environment"
    [ "$inside_devices" = unknown ] || [ -z "${SLURM_JOB_ID:-}" ] || export CUDA_VISIBLE_DEVICES="$inside_devices"
elif [ -r "${inside_own%/job*}/job/environment" ] && IFS= read -r VIRTUAL_ENV <"${inside_own%/job*}/job/environment"; then
    export VIRTUAL_ENV PATH="$VIRTUAL_ENV/bin:$PATH"
fi
# Whatever ran the program that started this one.
unset TMUX TMUX_PANE STY TMOUT
cd "$inside_folder" 2>/dev/null || cd "${inside_own%/job*}" 2>/dev/null || cd / || exit 71

inside_say() {
    printf '%s %s\n' "$inside_tag" "$1"
    [ "$inside_how" != pipes ] || printf '%s %s\n' "$inside_tag" "$1" >&2
}

# A terminal that this machine has not heard of.
if [ "$inside_how" != pipes ] && command -v infocmp >/dev/null 2>&1 && ! infocmp "${TERM:-dumb}" >/dev/null 2>&1; then
    export TERM=xterm-256color
fi

# The user's own shell. Its start files may set PATH and the like anew, so bash gets the job's environment once more after them.
inside_shell() {
    inside_program=${SHELL:-/bin/sh}
    [ -x "$inside_program" ] || inside_program=/bin/sh
    [ "$inside_how" != pipes ] || { "$inside_program"; return; }
    [ "${inside_program##*/}" = bash ] && [ -r "$inside_environment" ] || { "$inside_program" -i; return; }
    SUBMIT_ENVIRONMENT=$inside_environment "$inside_program" -c 'exec "$0" --rcfile <(printf "%s\n" "$1") -i' "$inside_program" \
        '[ ! -r ~/.bashrc ] || . ~/.bashrc; . "$SUBMIT_ENVIRONMENT"; unset SUBMIT_ENVIRONMENT'
}

case $inside_how in
    terminal | pipes)
        inside_say begin
        if [ $# -gt 0 ]; then "$@"; else inside_shell; fi
        inside_say "end $?"
        ;;
    keep)
        inside_shell
        printf '%s\n' "$?" >"$inside_status_file"
        ;;
    tmux\ * | screen\ *)
        inside_place=${inside_how#* }
        inside_lives() {
            case $inside_how in
                tmux*) tmux -S "$inside_place/s" has-session -t shell ;;
                *) SCREENDIR=$inside_place screen -ls | grep -q '[.]shell' ;;
            esac >/dev/null 2>&1
        }
        # What keeps it has to be a step that goes on by itself; not every site lets one.
        inside_lives || { inside_say gone; exit 0; }
        rm -f "$inside_status_file"
        inside_say begin
        case $inside_how in
            tmux*) tmux -S "$inside_place/s" attach-session -t shell 2>&1 ;;
            *) SCREENDIR=$inside_place screen -c "$inside_place/conf" -x shell ;;
        esac
        # What it has written counts: its tmux may take a moment longer to end.
        if [ -r "$inside_status_file" ] && IFS= read -r inside_status <"$inside_status_file"; then
            inside_say "end $inside_status"
        elif inside_lives; then
            inside_say left
        else
            inside_say lost
        fi
        ;;
esac
# The status is told above; srun would complain about another one.
exit 0
