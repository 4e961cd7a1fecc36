# Answers requests about one run, a line each on standard input, until that ends. Set before: ct_run, and ct_task: the task of
# an array that they are about, or nothing.
#   task N                          from now on they are about this one
#   use N [TASK]                    they are about another run: that of ct_pick N, which sets ct_run
#   age out|err                     how many seconds ago slurm.out or slurm.err was written to
#   files OUT OUT-MAX ERR ERR-MAX   state files, and so many bytes of slurm.out and slurm.err from these offsets
#   tasks                           the state files of an array's tasks, a line each
#   hostkeys                        the ssh host keys of the job's node
#   queue ID AGE                    what the queue knows, or knew so many seconds ago at most
#   exitcode ID                     the exit code that the scheduler noted: STATUS SIGNAL
#   cancel ID                       ends the job
#   remove                          removes the run folder (of a submission that was interrupted)
# Every answer ends with a line `done`.

ct_state_files='id node state start end exit lingered signal problem requeue-problem restarts jobid output loopback python tensorboard tensorboard-problem notebook-address'

# ct_stream KEY FILE OFFSET MAX SIZE: a part of a file, its length before it.
ct_stream() {
    ct_length=$(($5 - $3))
    [ "$ct_length" -gt "$4" ] && ct_length=$4
    if [ "$ct_length" -le 0 ]; then
        ct_say "$1" "0 $5"
    else
        ct_say "$1" "$ct_length $5"
        # As many bytes as were announced, also of a file that is being cut off or cannot be read any more.
        { tail -c "+$(($3 + 1))" "$2"; cat /dev/zero; } 2>/dev/null | head -c "$ct_length"
    fi
}

# ct_use_task TASK: what requests are about.
ct_use_task() {
    ct_task=$1
    ct_own=$ct_run/job${1:+/$1}
    ct_stdout=slurm${1:+-$1}.out ct_stderr=slurm${1:+-$1}.err
}

# The lengths of slurm.out and slurm.err, in ct_out_size and ct_err_size, with one process for both: this is asked often.
ct_measure() {
    ct_out_size=0 ct_err_size=0
    for ct_word in $(cd "$ct_run" 2>/dev/null && wc -c $ct_stdout $ct_stderr 2>/dev/null); do
        case $ct_word in
            "$ct_stdout") ct_out_size=$ct_count ;;
            "$ct_stderr") ct_err_size=$ct_count ;;
            *) ct_count=$ct_word ;;
        esac
    done
}

ct_files() {
    [ -d "$ct_run" ] || ct_say missing "$ct_run"
    # The end is read before the output: what is read after it is complete.
    for ct_name in $ct_state_files; do
        ct_read "$ct_own/$ct_name" && ct_say "file" "$ct_name $ct_value"
    done
    # The TensorBoard of an array belongs to one of its tasks.
    ct_find_board && for ct_name in node jobid loopback python tensorboard tensorboard-problem; do
        ct_read "$ct_board/$ct_name" && ct_say "file" "$ct_name $ct_value"
    done
    ct_measure
    ct_stream out "$ct_run/$ct_stdout" "$1" "$2" "$ct_out_size"
    ct_stream err "$ct_run/$ct_stderr" "$3" "$4" "$ct_err_size"
}

# The folder of the task that runs TensorBoard, in ct_board.
ct_find_board() {
    if [ -n "$ct_task" ]; then
        ct_board=$ct_own
        return 0
    fi
    for ct_board in "$ct_run"/job/[0-9]*; do
        [ -e "$ct_board/tensorboard" ] || [ -e "$ct_board/tensorboard-problem" ] && return 0
    done
    return 1
}

# ct_tell_age out|err: by the clock of the machine with the files, where that is another one, too.
ct_tell_age() {
    ct_file=$ct_run/$ct_stdout
    [ "$1" = out ] || ct_file=$ct_run/$ct_stderr
    ct_value=$(stat -c %Y "$ct_file" 2>/dev/null || stat -f %m "$ct_file" 2>/dev/null) || return 0
    ct_say age "$(($(date +%s) - ct_value))"
}

ct_watch() {
    ct_login
    ct_use_task "$ct_task"
    ct_say loopback "$(ct_loopback)"
    ct_say done ready
    while IFS= read -r ct_request; do
        # Requests are our own words: no quotes, no patterns.
        set -f
        set -- $ct_request
        set +f
        ct_verb=$1
        shift
        case $ct_verb in
            task) ct_use_task "$1" ;;
            use)
                ct_pick "$1"
                ct_use_task "${2:-}"
                ;;
            age) ct_tell_age "$1" ;;
            files) ct_files "$@" ;;
            tasks) ct_tasks ;;
            queue) scheduler_queue "$@" ;;
            hostkeys)
                ct_find_board || ct_board=$ct_run/job
                ct_lines hostkey "$(cat "$ct_board/hostkeys" 2>/dev/null)"
                ;;
            exitcode) scheduler_exit_code "$1" ;;
            cancel) scheduler_cancel "$1" ;;
            remove) cd / && rm -rf "$ct_run" ;;
        esac
        ct_say done "$ct_verb"
    done
}
ct_watch
