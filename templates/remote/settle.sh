# Says what became of a submission whose answer was lost: exactly one job, whose id is told, or none, and then there will
# be none. Set before: ct_project, ct_run_name, ct_token.

ct_settle() {
    umask 077
    ct_login
    ct_find_base
    ct_folder=$ct_base/$ct_project
    ct_incoming=$ct_folder/.incoming-$ct_token
    ct_run=$ct_folder/$ct_run_name
    ct_out=$(mkdir -p "$ct_folder" 2>&1) || ct_fail 75 "cannot reach the folder for runs on $(uname -n)" "$ct_out"
    # Whether the claim is ours: without it nothing is known.
    ct_claimed=
    if [ ! -e "$ct_run" ]; then
        # Nothing there yet: a program that starts late finds its place taken.
        mkdir "$ct_incoming" 2>/dev/null && ct_claimed=yes
        mkdir "$ct_incoming/job" 2>/dev/null
        mkdir "$ct_incoming/job/claim" 2>/dev/null
        # Nobody else makes it there.
        [ -d "$ct_incoming/job/claim" ] && ct_claimed=yes
    fi
    # Either it has become the run in this moment, with our claim or not, or it never will.
    if [ ! -d "$ct_run" ]; then
        [ -n "$ct_claimed" ] || ct_fail 75 "whether there is a job cannot be found out on $(uname -n) now"
        rm -rf "$ct_incoming/code" "$ct_incoming/base" "$ct_incoming/job/archive" "$ct_incoming/sbatch_script.sh"
        ct_say done none
        return
    fi
    if mkdir "$ct_run/job/claim" 2>/dev/null; then
        rm -rf "$ct_run"
        ct_say done none
        return
    fi
    # The other program has the claim and is submitting, or has submitted, or we have it in an incoming folder that it
    # will remove when it finds out.
    ct_tries=0
    ct_orphaned=0
    while [ -d "$ct_run" ] && [ "$ct_tries" -lt 60 ] && [ "$ct_orphaned" -lt 5 ]; do
        if ct_read "$ct_run/job/id" && [ -n "$ct_value" ] || { ct_value=$(scheduler_find "$ct_run") && [ -n "$ct_value" ]; }; then
            ct_say run "$ct_run"
            ct_say job "$ct_value"
            ct_say host "$(uname -n)"
            ct_say done submitted
            return
        fi
        ct_tries=$((ct_tries + 1))
        # A scheduler that was asked in vain a moment ago may still hear of it, or be too busy to say so.
        ct_owner_is_gone && ct_orphaned=$((ct_orphaned + 1))
        sleep 1
    done
    [ -d "$ct_run" ] || { ct_say done none; return; }
    ct_out=$(scheduler_answers 2>&1) \
        || ct_fail 75 "a submission in $ct_run neither became a job nor failed within a minute" "$ct_out"
    # Whoever submits it even now submits a job that finds nothing to run.
    ct_where=$(cd "$ct_run" && pwd -P)
    mv "$ct_run" "$ct_folder/.given-up-$ct_token" 2>/dev/null || ct_fail 75 "$ct_run cannot be taken back"
    scheduler_withdraw "$ct_where"
    rm -rf "$ct_folder/.given-up-$ct_token"
    ct_say done none
}

# Whether the submitting program and all that it started, which are one process group, are gone. Not known on another machine.
ct_owner_is_gone() {
    ct_read "$ct_run/job/claim/owner" || return 1
    [ "${ct_value% *}" = "$(ct_machine)" ] && ! kill -0 "-${ct_value##* }" 2>/dev/null && ! kill -0 "${ct_value##* }" 2>/dev/null
}
ct_settle
