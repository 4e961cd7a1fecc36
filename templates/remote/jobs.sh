# Answers requests about many jobs at once, a line each on standard input, until that ends. Set before: ct_each(), which calls
# ct_visit KEY ID RUN TASK for every job: ID is - for one whose number belongs to a later job, TASK empty for a whole job.
#   poll            what the queue and the jobs' own files say of all of them
#   cancel KEY...   ends these
# Every answer ends with a line `done`. What follows a line `job` is about that job.

# ct_tell KEY ID RUN TASK: what there is to know of a job but for the queue's part.
ct_tell() {
    ct_run=$3
    ct_say job "$1"
    [ -d "$ct_run" ] || ct_say missing "$ct_run"
    for ct_name in state node start end exit lingered signal problem; do
        ct_read "$ct_run/job${4:+/$4}/$ct_name" && ct_say file "$ct_name $ct_value"
    done
    [ -n "$4" ] || ct_tasks
}

ct_jobs() {
    ct_login
    while IFS= read -r ct_request; do
        # Requests are our own words: no quotes, no patterns.
        set -f
        set -- $ct_request
        set +f
        ct_verb=$1
        shift
        case $ct_verb in
            poll)
                # The queue first: what files say after it is the newer word.
                scheduler_queue_each
                ct_visit() { ct_tell "$@"; }
                ct_each
                ;;
            cancel)
                ct_wanted=" $* "
                scheduler_cancel_each
                ;;
        esac
        ct_say done "$ct_verb"
    done
}
ct_jobs
