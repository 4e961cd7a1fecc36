# There is no scheduler: a job is a process group of its own, started at once; its id is the leader's process id.

scheduler_is_here() { :; }
scheduler_is_missing() { :; }

# ct_birth PID: something that tells a process from a later one with the same number, also after a reboot; nothing for one
# that has ended.
ct_birth() {
    if [ -r "/proc/$1/stat" ]; then
        # The second field, the name in parentheses, may hold anything.
        sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | {
            read -r ct_fields
            set -- $ct_fields
            # A zombie: nobody has asked yet how it ended.
            [ "$1" = Z ] || printf '%s %s\n' "${20}" "$(cat /proc/sys/kernel/random/boot_id)"
        }
    else
        ps -o lstart= -p "$1" 2>/dev/null
    fi
}

# scheduler_submit: starts sbatch_script.sh of the current folder. Sets ct_id, or ct_reason.
scheduler_submit() {
    ct_reason="the job's process did not start (it needs setsid -f or perl, and bash)"
    CLUSTER_TOOLS_RUN=$PWD
    export CLUSTER_TOOLS_RUN
    # The leader says its number before it becomes the job. Not started with `&`: a shell lets such commands ignore INT and
    # QUIT, and nobody after it can change that. We ignore more by now; a job must not inherit that either.
    ct_job='echo $$; exec /bin/bash -l "$CLUSTER_TOOLS_RUN/sbatch_script.sh" </dev/null >slurm.out 2>slurm.err'
    ct_id=$(
        trap - INT QUIT HUP TERM PIPE
        if setsid -f true 2>/dev/null; then
            exec setsid -f /bin/sh -c "$ct_job"
        else
            exec perl -e 'use POSIX; fork and exit; POSIX::setsid(); exec @ARGV' /bin/sh -c "$ct_job"
        fi
    )
    [ -n "$ct_id" ] || return 1
    ct_birth "$ct_id" >job/leader
    # It may be over already.
    [ -s job/leader ] || printf 'ended %s\n' "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)" >job/leader
}

# scheduler_find RUN: the job of this run folder.
scheduler_find() { [ -s "$1/job/leader" ] && [ -s "$1/job/id" ] && cat "$1/job/id"; }

scheduler_answers() { :; }

# scheduler_withdraw FOLDER: a job that was started there and never got its number written down.
scheduler_withdraw() { ! ct_read "$ct_folder/.given-up-$ct_token/job/jobid" || kill -KILL "-$ct_value" 2>/dev/null; }

ct_is_alive() { [ -s "$ct_run/job/leader" ] && [ "$(ct_birth "$1")" = "$(cat "$ct_run/job/leader")" ]; }

# scheduler_is_active RUN: whether its job has not ended.
scheduler_note_active() { :; }
scheduler_is_active() {
    ct_run=$1
    ct_read "$1/job/id" && ct_is_alive "$ct_value"
}

# scheduler_queue ID: one line in the form of squeue's.
scheduler_queue() {
    if ct_read "$ct_run/job/end"; then
        ct_read "$ct_run/job/exit"
        ct_state=FAILED
        [ "$ct_value" = 0 ] && ct_state=COMPLETED
    elif ct_is_alive "$1"; then
        ct_state=RUNNING
    elif case $(cat "$ct_run/job/leader" 2>/dev/null) in *"$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"*) false ;; esac then
        ct_state=NODE_FAIL
    else
        # Slurm's word for a job that was killed.
        ct_state=FAILED
    fi
    [ -e "$ct_run/job/cancelled" ] && [ "$ct_state" != RUNNING ] && ct_state=CANCELLED
    ct_say queue "$1|$ct_state|None|$(uname -n)|$(uname -n)|N/A|N/A|N/A|N/A|"
}

# scheduler_exit_code ID: nobody but the job itself knows.
scheduler_exit_code() { :; }

# scheduler_queue_each: the same for every job that ct_each names, each with its key before it.
scheduler_queue_each() {
    ct_visit() { ct_run=$3; ct_say job "$1"; scheduler_queue "$2"; }
    ct_each
}

# scheduler_cancel ID: TERM to the job; KILL to the whole group when it is still there some time later.
scheduler_cancel() {
    ct_is_alive "$1" || return 0
    : >"$ct_run/job/cancelled"
    # The script passes it on, so that the command gets it once, and ends what else there is.
    kill -TERM "$1" 2>/dev/null
    # It outlives this program, which may be ended together with all of its group, from its first moment on.
    trap '' HUP INT TERM
    (
        for ct_wait in 1 2 3 4 5 6 7 8 9 10; do
            sleep 1
            kill -0 "-$1" 2>/dev/null || exit 0
        done
        kill -KILL "-$1" 2>/dev/null
    ) </dev/null >/dev/null 2>&1 &
    trap - HUP INT TERM
}

# scheduler_cancel_each: ends those jobs that ct_each names whose keys are in ct_wanted.
scheduler_cancel_each() {
    ct_visit() { case $ct_wanted in *" $1 "*) ct_run=$3; scheduler_cancel "$2" ;; esac; }
    ct_each
}
