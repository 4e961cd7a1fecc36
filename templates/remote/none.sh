# There is no scheduler: a job is a process group of its own, started at once; its id is the leader's process id. Set before:
# ct_sweep, the text of sweep.sh.

# How long a job has between TERM and KILL, in seconds: as long as Slurm gives it.
ct_grace=${CLUSTER_TOOLS_KILL_WAIT:-30}

scheduler_is_here() { :; }
scheduler_is_missing() { :; }

# ct_boot: something that is another after a restart of this machine.
ct_boot() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.bootsessionuuid 2>/dev/null; }

# ct_birth PID: something that tells a process from a later one with the same number, also after a restart; nothing for one
# that has ended.
ct_birth() {
    if [ -r "/proc/$1/stat" ]; then
        # The second field, the name in parentheses, may hold anything.
        sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | {
            read -r ct_fields
            set -- $ct_fields
            # A zombie: nobody has asked yet how it ended.
            [ "$1" = Z ] || printf '%s %s\n' "${20}" "$(ct_boot)"
        }
    else
        ct_out=$(ps -o lstart= -p "$1" 2>/dev/null) && printf '%s %s\n' "$ct_out" "$(ct_boot)"
    fi
}

# scheduler_submit: starts sbatch_script.sh of the current folder. Sets ct_id, or ct_reason.
scheduler_submit() {
    ct_reason="the job's process did not start (it needs setsid or perl)"
    CLUSTER_TOOLS_RUN=$(pwd -P)
    # The mark by which sweep.sh finds the job's processes; for the job, where its run folder is.
    SUBMIT_RUN=$CLUSTER_TOOLS_RUN
    # The script is written for any POSIX shell; what a person activates may need the one that they are used to.
    CLUSTER_TOOLS_SHELL=$(command -v bash || echo /bin/sh)
    CLUSTER_TOOLS_KILL_WAIT=$ct_grace
    export CLUSTER_TOOLS_RUN CLUSTER_TOOLS_SHELL CLUSTER_TOOLS_KILL_WAIT SUBMIT_RUN
    printf '%s\n' "$ct_sweep" >job/sweep.sh
    # The leader says its number before it becomes the job. Not started with `&` if that can be avoided: a shell lets such
    # commands ignore INT and QUIT, and nobody after it can change that. We ignore more by now; a job must not inherit that either.
    ct_job='echo $$; exec "$CLUSTER_TOOLS_SHELL" -l "$CLUSTER_TOOLS_RUN/sbatch_script.sh" </dev/null >slurm.out 2>slurm.err'
    ct_id=$(
        trap - INT QUIT HUP TERM PIPE
        if setsid -f true 2>/dev/null; then
            exec setsid -f /bin/sh -c "$ct_job"
        elif ct_have perl; then
            exec perl -e 'use POSIX; fork and exit; POSIX::setsid(); exec @ARGV' /bin/sh -c "$ct_job"
        elif ct_have setsid; then
            # That of busybox.
            setsid /bin/sh -c "$ct_job" &
        fi
    )
    [ -n "$ct_id" ] || return 1
    ct_birth "$ct_id" >job/leader
    # It may be over already.
    [ -s job/leader ] || printf 'ended %s\n' "$(ct_boot)" >job/leader
}

# scheduler_find RUN: the job of this run folder.
scheduler_find() { [ -s "$1/job/leader" ] && [ -s "$1/job/id" ] && cat "$1/job/id"; }

scheduler_answers() { :; }

# scheduler_withdraw FOLDER: ends a job that was started there, and whose number was never written down.
scheduler_withdraw() { /bin/sh -c "$ct_sweep" sweep "" "$1" 0 yes </dev/null >/dev/null 2>&1; }

# ct_is_alive LEADER: whether this process is still the one that the job began with.
ct_is_alive() { [ -s "$ct_run/job/leader" ] && [ "$(ct_birth "$1")" = "$(cat "$ct_run/job/leader")" ]; }

# ct_place: the run folder as the job's mark has it.
ct_place() { (cd "$ct_run" 2>/dev/null && pwd -P) || printf '%s\n' "$ct_run"; }

# ct_has_processes: whether anything still has the job's mark, also when its leader or its run folder is gone.
ct_has_processes() { grep -qsF "SUBMIT_RUN=$(ct_place)" /proc/[0-9]*/environ; }

# scheduler_is_active RUN: whether its job has not ended.
scheduler_note_active() { :; }
scheduler_is_active() {
    ct_run=$1
    ct_read "$1/job/id" && ct_is_alive "$ct_value" || ct_has_processes
}

# scheduler_queue ID: one line in the form of squeue's; nothing when the job's run folder is gone and it does not run either.
scheduler_queue() {
    if ct_read "$ct_run/job/end"; then
        ct_read "$ct_run/job/exit"
        ct_state=FAILED
        [ "$ct_value" = 0 ] && ct_state=COMPLETED
    elif ct_is_alive "$1"; then
        ct_state=RUNNING
    elif [ ! -e "$ct_run/job/leader" ]; then
        ct_has_processes || return 0
        ct_state=RUNNING
    elif case $(cat "$ct_run/job/leader") in *"$(ct_boot)"*) false ;; esac then
        ct_state=HOST_RESTARTED
    else
        # Slurm's word for a job that was killed. It would end what was left of it; here this is the moment to do so.
        ct_state=FAILED
        ct_sweep_job ""
    fi
    [ -e "$ct_run/job/cancelled" ] && [ "$ct_state" != RUNNING ] && ct_state=CANCELLED
    ct_say queue "$1|$ct_state|None|$(uname -n)|$(uname -n)|N/A|N/A|N/A|N/A|"
}

scheduler_probe() { :; }

# scheduler_check: whether jobs outlive the login, where that can be found out.
scheduler_check() {
    ct_have busctl || return 0
    ct_value=$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
        KillUserProcesses 2>/dev/null)
    [ "$ct_value" != 'b true' ] || [ -e "/var/lib/systemd/linger/$(id -un)" ] || ct_say kills-processes "$ct_value"
}

# scheduler_test: there is nobody who could refuse a job.
scheduler_test() { :; }

# scheduler_exit_code ID: nobody but the job itself knows.
scheduler_exit_code() { :; }

# scheduler_queue_each: the same for every job that ct_each names, each with its key before it.
scheduler_queue_each() {
    ct_visit() { ct_run=$3; ct_say job "$1"; scheduler_queue "$2"; }
    ct_each
}

# ct_sweep_job LEADER: ends what is left of the job. It outlives this program, which may be ended together with all of its group.
ct_sweep_job() {
    trap '' HUP INT TERM
    if [ -r "$ct_run/job/sweep.sh" ]; then
        /bin/sh "$ct_run/job/sweep.sh" "$1" "$(ct_place)" "$ct_grace" </dev/null >/dev/null 2>&1 &
    else
        /bin/sh -c "$ct_sweep" sweep "$1" "$(ct_place)" "$ct_grace" yes </dev/null >/dev/null 2>&1 &
    fi
    trap - HUP INT TERM
}

# scheduler_cancel ID: TERM to all of the job, KILL to what is still there some time later.
scheduler_cancel() {
    if ct_is_alive "$1"; then
        # Whoever asks again while it still has time to end is not to hurry it.
        ct_read "$ct_run/job/cancelled" && [ "$(($(date +%s) - ct_value))" -le "$ct_grace" ] && return
        # The script sees that it need not pass on what everybody gets.
        date +%s >"$ct_run/job/cancelled"
        ct_sweep_job "$1"
    else
        ct_sweep_job ""
    fi
}

# scheduler_cancel_each: ends those jobs that ct_each names whose keys are in ct_wanted.
scheduler_cancel_each() {
    ct_visit() { case $ct_wanted in *" $1 "*) ct_run=$3; scheduler_cancel "$2" ;; esac; }
    ct_each
}
