# Makes a shell in a job ready. Set before: ct_run; ct_own, the folder of the job's state files; ct_id, Slurm's number of the job,
# empty where there is no Slurm; ct_hold, ct_kept and ct_program: the texts of hold.sh, of what becomes the kept shell, and of a program
# that is to be started on a terminal. Requests:
#   keep NODE       keeps a shell on that node of the job, and says where: see hold.sh
#   again NODE      says where it is, when it is still there
#   program         writes ct_program to a file and says where; it removes itself
# Every answer ends with a line `done`.

# ct_keep NODE [again]
ct_keep() {
    if [ -n "$ct_id" ] && ! ct_have setsid; then
        ct_value="there is no setsid on $(uname -n)"
    elif [ -n "$ct_id" ]; then
        ct_find_overlap
        # Beside the job's own steps; those of Slurm before 20.11 share what the job has anyway. A step goes on when its srun is
        # killed, as long as the job does, so that nothing has to stay on this machine: all of srun at once, or what is left of it
        # ends the step.
        ct_value=$(setsid /bin/sh -c 'echo "srun $$"; exec "$@" 2>&1' keep \
            srun $ct_overlap --quiet --jobid="$ct_id" --nodelist="$1" --nodes=1 --ntasks=1 --mem=0 --chdir=/ --input=none \
            /bin/sh -c "$ct_hold" hold "$ct_own" "$ct_kept" "${2:-}" \
            | while IFS= read -r ct_line; do
                case $ct_line in
                    srun\ *) ct_pid=${ct_line#* } ;;
                    *)
                        printf '%s\n' "$ct_line"
                        case $ct_line in tmux\ * | screen\ * | nothing | gone*) kill -KILL "-$ct_pid"; break ;; esac
                        ;;
                esac
            done)
    elif ct_have setsid; then
        ct_value=$(setsid /bin/sh -c "$ct_hold" hold "$ct_own" "$ct_kept" "${2:-}" </dev/null 2>/dev/null &)
    else
        ct_value=$(/bin/sh -c "$ct_hold" hold "$ct_own" "$ct_kept" "${2:-}" </dev/null 2>/dev/null &)
    fi
    ct_lines kept "$ct_value"
}

# The program for a terminal, as a file: what is typed there is not for reading programs from.
ct_write_program() {
    ct_file=$ct_own/.shell-${ct_tag#@}
    (umask 077 && printf '%s\n' "$ct_program" >"$ct_file") 2>/dev/null || ct_fail 74 "cannot write to $ct_own on $(uname -n)"
    ct_say program "$ct_file"
}

ct_shell() {
    ct_login
    [ -d "$ct_own" ] || ct_fail 66 "the run folder of the job is gone on $(uname -n)" "$ct_run"
    [ -z "$ct_id" ] || ct_have srun || ct_fail 69 "no srun on $(uname -n)" "looked in PATH=$PATH"
    ct_say done ready
    while IFS= read -r ct_request; do
        case $ct_request in
            keep\ *) ct_keep "${ct_request#* }" ;;
            again\ *) ct_keep "${ct_request#* }" again ;;
            program) ct_write_program ;;
        esac
        ct_say done "${ct_request%% *}"
    done
}
ct_shell
