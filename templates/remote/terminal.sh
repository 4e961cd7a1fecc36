# Becomes a shell or a command in a job: see inside.sh. Set before: ct_id, Slurm's number of the job, empty where it is to run on this
# machine; ct_node; ct_pty, which is not empty where this is a terminal; ct_arguments(), which calls ct_enter with the words for
# inside.sh; ct_inside, its text; ct_guarded, the file for guardian.sh, if it is to end this. On a terminal this is a file, whose
# argument says how.

ct_enter() {
    set -- /bin/sh -c "$ct_inside" shell "$@"
    if [ -n "$ct_id" ]; then
        # Beside the job's own steps, on all that the job has. Those of Slurm before 20.11 share it anyway.
        ct_find_overlap
        set -- srun $ct_overlap --quiet --jobid="$ct_id" --nodelist="$ct_node" --nodes=1 --ntasks=1 --mem=0 --chdir=/ \
            ${ct_pty:+--pty} "$@"
    fi
    [ -n "$ct_guarded" ] || exec "$@"
    trap 'rm -f "$ct_guarded"; exit 143' HUP INT TERM
    # A shell says of a child that a signal has ended it, to whoever may have gone. Not ignored: the command would ignore it too.
    trap : PIPE
    (umask 077 && echo "$$" >"$ct_guarded") 2>/dev/null
    "$@"
    rm -f "$ct_guarded"
}
[ -z "$ct_id" ] || ct_login
ct_arguments
