# The scheduler is Slurm.

scheduler_is_here() { ct_have sbatch && ct_have squeue && ct_have scancel; }
scheduler_is_missing() { echo "no Slurm commands (sbatch, squeue, scancel) here"; }

# The columns of a job in the queue. Times are seconds since 1970, and the tasks of an array are all named.
ct_columns='%i|%T|%r|%B|%N|%S|%e|%L|%M|%P'

# scheduler_submit OPTION...: submits sbatch_script.sh of the current folder. Sets ct_id, or ct_reason.
scheduler_submit() {
    ct_id=
    ct_reason=
    # Options on the command line win over SBATCH_* variables of the environment, the script's own do not: none of these may
    # send the output elsewhere, make an array of the job, or make sbatch wait for its end.
    unset SBATCH_OUTPUT SBATCH_ERROR SBATCH_OPEN_MODE SBATCH_ARRAY_INX SBATCH_WAIT SBATCH_CLUSTERS
    if ct_out=$(sbatch --parsable "$@" sbatch_script.sh 2>job/.sbatch); then
        # What a site's plug-ins say about an accepted job is for the user.
        ct_lines note "$(cat job/.sbatch)"
    else
        ct_reason=$(cat job/.sbatch)
        [ -n "$ct_reason" ] || ct_reason="sbatch: $ct_out"
        ct_out=
        # A controller that answers late may have accepted the job all the same.
        case $ct_reason in
            *"timed out"* | *onnect* | *"contact slurm"* | *essage* | *ransmitted* | *ransport*)
                for ct_wait in 1 2 4 8; do
                    sleep "$ct_wait"
                    ct_out=$(scheduler_find "$PWD") && break
                done
                ;;
            *) ct_out=$(scheduler_find "$PWD") ;;
        esac
    fi
    rm -f job/.sbatch
    # A wrapper of the site around sbatch may print more than the number.
    ct_id=$(printf '%s\n' "$ct_out" | sed -n 's/^\([0-9][0-9]*\)\(;.*\)\{0,1\}$/\1/p' | tail -n 1)
    [ -n "$ct_id" ]
}

# scheduler_find RUN: the id of the job that was submitted from this run folder.
scheduler_find() {
    # Slurm knows the folder without symbolic links.
    ct_where=$(cd "$1" 2>/dev/null && pwd -P) || return 1
    squeue -h -t all -u "$(id -un)" -o '%A|%F|%Z' 2>/dev/null | while IFS='|' read -r ct_a ct_f ct_z; do
        [ "$ct_z" = "$ct_where" ] && { printf '%s\n' "$ct_f"; break; }
    done | grep .
}

# scheduler_answers: whether the scheduler can say which jobs there are.
scheduler_answers() { squeue -h -u "$(id -un)" -o %i >/dev/null; }

# scheduler_note_active: takes down which jobs have not ended, for scheduler_is_active RUN, or why that is not known.
scheduler_note_active() {
    ct_active=$(squeue -h -u "$(id -un)" -o '<%Z>' 2>&1)
}
scheduler_is_active() {
    ct_where=$(cd "$1" 2>/dev/null && pwd -P) || return 0
    case $ct_active in *"<$ct_where>"*) return 0 ;; *) return 1 ;; esac
}

# scheduler_withdraw FOLDER: ends what was submitted from this folder, its name without symbolic links, after all.
scheduler_withdraw() {
    squeue -h -u "$(id -un)" -o '%A|%Z' 2>/dev/null | while IFS='|' read -r ct_a ct_z; do
        [ "$ct_z" = "$1" ] && scancel "$ct_a"
    done
}

# scheduler_queue ID[,ID...] [AGE]: what the queue knows of these jobs. With an AGE it is one job, of the run ct_run, and what
# was known so many seconds ago will do: all programs that watch jobs of this user share one answer.
scheduler_queue() {
    [ -z "${2:-}" ] || ! ct_queue_shared "$1" "$2" || return 0
    if ct_out=$(SLURM_TIME_FORMAT=%s SLURM_BITSTR_LEN=0 squeue -h -t all -j "$1" -o "$ct_columns" 2>&1); then
        ct_lines queue "$ct_out"
    else
        case $ct_out in
            *"nvalid job id"*) ;;
            *) ct_say queue-problem "$(printf %s "$ct_out" | tr '\n' ' ')" ;;
        esac
    fi
}

# scheduler_probe: what the partitions have, and how many jobs wait for each.
scheduler_probe() {
    if ct_out=$(sinfo -h -O "$ct_partition_columns" 2>&1); then
        ct_lines partition "$ct_out"
    else
        ct_lines partition-problem "$ct_out"
    fi
    # A job may wait for several.
    ct_lines pending "$(squeue -h -t PENDING -o %P 2>/dev/null | tr ',' '\n' | sort | uniq -c)"
}

# ct_queue_shared ID AGE: answers from what one of us has asked for all of us, or asks for all of us; false when neither can
# be had, as with a full disk.
ct_queue_shared() {
    ct_place=${ct_run%/*/*}/.queue
    [ -d "$ct_place" ] || (umask 077 && mkdir "$ct_place") 2>/dev/null || [ -d "$ct_place" ] || return 1
    ct_tries=0
    ct_begin=$(date +%s)
    while ct_now=$(date +%s) && ! ct_queue_known "$1" "$((ct_now - $2))" "$((ct_begin + 1))" "$ct_now"; do
        if mkdir "$ct_place/lock" 2>/dev/null; then
            ct_queue_ask "$ct_now"
            rmdir "$ct_place/lock"
            ct_queue_known "$1" "$ct_now" "$ct_now" "$ct_now"
            return
        fi
        # Somebody is asking. A controller that is slow, or an asker that was killed, stops nobody for long.
        ct_tries=$((ct_tries + 1))
        [ "$ct_tries" -le 25 ] || return 1
        [ -z "$(find "$ct_place/lock" -prune -mmin +1 2>/dev/null)" ] || rmdir "$ct_place/lock" 2>/dev/null
        sleep 0.2 2>/dev/null || sleep 1
    done
}

# ct_queue_known ID OLDEST RECENT NOW: answers from what is written down, and says from when it is, unless that is older than
# OLDEST. It must be as new as RECENT where the job is not in it: it may have been submitted since, in the same second.
ct_queue_known() {
    ct_out=$(awk -F'|' -v id="$1" -v oldest="$2" -v recent="$3" -v now="$4" '
        NR == 1 {
            split($0, head, " ")
            usable = head[1] >= oldest && head[1] <= now
            failed = head[2] != "ok"
            if (usable && !failed) print head[1]
            next
        }
        usable && failed { print; next }
        usable && ($1 == id || index($1, id "_") == 1 || index($1, id "+") == 1) { print; found = 1 }
        END { exit !usable ? 1 : failed ? 3 : found || head[1] >= recent ? 0 : 1 }' "$ct_place/answer" 2>/dev/null)
    case $? in
        0)
            ct_say asked "${ct_out%%[!0-9]*}"
            ct_lines queue "$(printf '%s\n' "$ct_out" | tail -n +2)"
            ;;
        3) ct_say queue-problem "$(printf %s "$ct_out" | tr '\n' ' ')" ;;
        *) return 1 ;;
    esac
}

# ct_queue_ask NOW: writes down what the queue knows of all jobs of this user.
ct_queue_ask() (
    umask 077
    ct_new=$ct_place/.${ct_tag#@}
    ct_state=ok
    ct_out=$(SLURM_TIME_FORMAT=%s SLURM_BITSTR_LEN=0 squeue -h -t all -u "$(id -un)" -o "$ct_columns" 2>&1) || ct_state=problem
    { printf '%s %s\n%s\n' "$1" "$ct_state" "$ct_out" >"$ct_new" && mv -f "$ct_new" "$ct_place/answer"; } 2>/dev/null \
        || rm -f "$ct_new"
)

# scheduler_check: what there is to know before a job is submitted.
scheduler_check() {
    ct_say version "$(sinfo --version 2>/dev/null)"
    # Where there is accounting.
    ct_lines account "$(sacctmgr -n -P show associations user="$(id -un)" format=account 2>/dev/null | sort -u)"
}

# scheduler_test TEXT: whether a script with these lines would be accepted.
scheduler_test() {
    if ct_out=$(cd / && printf '#!/bin/sh\n%s\ntrue\n' "$1" | sbatch --test-only 2>&1); then
        ct_say accepted "$(printf '%s\n' "$ct_out" | sed -n 's/^sbatch: Job [0-9]* //p' | tail -n 1)"
    else
        ct_lines refused "$ct_out"
    fi
}

# scheduler_exit_code ID: how an ended job ended, where it could not say so itself, as with a full disk.
scheduler_exit_code() {
    ct_out=$(scontrol -o show job "$1" 2>/dev/null | sed -n 's/^.* ExitCode=\([0-9]*\):\([0-9]*\) .*$/\1 \2/p')
    ct_lines exitcode "$ct_out"
}

# scheduler_queue_each: the same for every job that ct_each names, in one call.
scheduler_queue_each() {
    ct_ids=
    ct_visit() { [ "$2" = - ] || ct_ids=$ct_ids${ct_ids:+,}$2; }
    ct_each
    [ -z "$ct_ids" ] || scheduler_queue "$ct_ids"
}

# scheduler_cancel ID...
scheduler_cancel() {
    ct_out=$(scancel "$@" 2>&1) || ct_say cancel-problem "$(printf %s "$ct_out" | tr '\n' ' ')"
}

# scheduler_cancel_each: ends those jobs that ct_each names whose keys are in ct_wanted, in one call.
scheduler_cancel_each() {
    ct_ids=
    ct_visit() { case $2:$ct_wanted in -:*) ;; *" $1 "*) ct_ids="$ct_ids $2" ;; esac; }
    ct_each
    # Numbers, and no patterns.
    [ -z "$ct_ids" ] || scheduler_cancel $ct_ids
}

# ct_find_overlap: the option for a step beside the job's own, in ct_overlap; none where steps share what the job has anyway, before 20.11.
ct_find_overlap() {
    ct_overlap=--overlap
    case $(srun --help 2>/dev/null) in *--overlap*) ;; *) ct_overlap= ;; esac
}
