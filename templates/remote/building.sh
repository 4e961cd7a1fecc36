# Makes the environment of a run on the access node, before there is a job. Set before:
#   ct_build       why: nothing where it is not to be made here, `job` for a job that follows, `alone` for none
#   ct_activation  the profile's shell lines, and after them what makes it; they find $CT_RUN and $CT_POOL
# While it is made there is an answer every second, `done building`: `note` has what is to be told, `line` the last line of the log.

# ct_tell_building: what is new in the log; false when nobody listens any more.
ct_tell_building() {
    ct_new=$(sed -n 's/^submit: //p' job/environment.log | tail -n "+$((ct_told + 1))")
    if [ -n "$ct_new" ]; then
        ct_told=$((ct_told + $(printf '%s\n' "$ct_new" | wc -l)))
        ct_lines note "$ct_new"
    fi
    ct_say line "$(tail -n 1 job/environment.log | sed '/^submit: /d' | tr '\r' ' ')" && ct_say done building
}

# ct_end_of_log: without what has been told.
ct_end_of_log() { sed -e '/^submit: making the environment /d' -e 's/^submit: //' job/environment.log | tail -n 25; }

# ct_stop_building: it cleans up after itself.
ct_stop_building() {
    trap '' HUP INT TERM
    kill "$ct_builder" 2>/dev/null
    wait "$ct_builder"
    ct_discard
}

# ct_make_environment: in the run folder.
ct_make_environment() {
    CT_RUN=$ct_run
    CT_POOL=$ct_base/.environments
    export CT_RUN CT_POOL
    : >job/environment.log
    (
        trap - HUP INT TERM PIPE EXIT
        umask "$ct_umask"
        exec "$(command -v bash || echo /bin/sh)" -l -c "$ct_activation"
    ) </dev/null >job/environment.log 2>&1 &
    ct_builder=$!
    trap ct_stop_building EXIT
    ct_told=0
    while kill -0 "$ct_builder" 2>/dev/null; do
        # Where it is there already, that is soon known.
        sleep 0.2 2>/dev/null || sleep 1
        ct_tell_building || exit 1
        kill -0 "$ct_builder" 2>/dev/null && sleep 1
    done
    wait "$ct_builder"
    ct_status=$?
    trap ct_discard EXIT
    case $ct_status in
        0) ;;
        6[4-9] | 7[0-8]) ct_fail "$ct_status" "the environment could not be made on $(uname -n)" "$(ct_end_of_log)" ;;
        *) ct_fail 69 "making the environment on $(uname -n) ended with status $ct_status" "$(ct_end_of_log)" ;;
    esac
    ct_tell_building
    [ "$ct_build" = alone ] || return 0
    ct_read job/environment && ct_say environment "$ct_value"
    ct_discard
    ct_say done built
    exit
}
