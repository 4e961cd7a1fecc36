# Unpacks the archive that follows on standard input into a run folder that appears by rename, and submits its script.
# Set before: ct_project, ct_run_name, ct_token, ct_options() that calls scheduler_submit with sbatch's options, and what
# snapshots.sh and building.sh need. The answer is `base-gone`, and nothing is left, when the snapshot that this one differs from is not there.
#
# At most once: whoever makes job/claim decides about the run: this program just before it submits, or `settle` in place of it.

ct_submit() {
    # Slurm gives the job the submitter's umask: it must be the user's own, not ours.
    ct_umask=$(umask)
    umask 077
    trap '' PIPE
    ct_login
    ct_find_base
    ct_folder=$ct_base/$ct_project
    ct_incoming=$ct_folder/.incoming-$ct_token
    ct_run=$ct_folder/$ct_run_name
    ct_out=$(mkdir -p "$ct_folder" 2>&1) || ct_fail 73 "cannot make the folder for runs on $(uname -n)" "$ct_out"
    # A folder of this name is the mark of `settle`: the other side has given this submission up.
    ct_out=$(mkdir "$ct_incoming" "$ct_incoming/job" 2>&1) || ct_fail 75 "this submission was given up" "$ct_out"
    ct_scrap=$ct_incoming
    trap ct_discard EXIT
    trap 'exit 1' HUP INT TERM
    if [ -n "$ct_base_key" ] && ! ct_take_base; then
        ct_discard
        ct_say done base-gone
        exit
    fi
    # What the archive may be compressed with.
    ct_say codecs "gzip$(ct_have zstd && echo ' zstd')"
    ct_say done ready
    IFS= read -r ct_codec
    ct_out=$(cd "$ct_incoming" && ct_receive 2>&1) || ct_fail 74 "cannot unpack the snapshot on $(uname -n)" "$ct_out"
    ct_has_end || ct_fail 74 "cannot unpack the snapshot on $(uname -n)" "it is not whole"
    chmod 700 "$ct_incoming"
    [ ! -e "$ct_run" ] && ct_out=$(mv "$ct_incoming" "$ct_run" 2>&1) \
        || ct_fail 73 "cannot make the run folder $ct_run" "$ct_out"
    ct_scrap=$ct_run
    cd "$ct_run" || exit 1
    [ -z "$ct_build" ] || ct_make_environment
    mkdir job/claim 2>/dev/null || ct_fail 75 "this submission was given up" ""
    # Whether we, and the sbatch that we start, are still there: see settle.sh.
    printf '%s %s\n' "$(ct_machine)" "$$" >job/claim/owner
    # From here on a job may exist: a lost link or a signal must not stop us from writing down its id.
    trap '' HUP INT TERM
    umask "$ct_umask"
    ct_options || ct_fail 69 "the job was not accepted on $(uname -n)" "$ct_reason"
    ct_scrap=
    (umask 077 && printf '%s\n' "$ct_id" >job/.id && mv -f job/.id job/id)
    ct_say run "$ct_run"
    ct_say job "$ct_id"
    ct_say host "$(uname -n)"
    ct_say done submitted
    (ct_keep; ct_sweep_incoming) </dev/null >/dev/null 2>&1 &
}

# What submissions left that were given up more than a day ago.
ct_sweep_incoming() { find "$ct_folder" -maxdepth 1 -name '.incoming-*' -mtime +0 -exec rm -rf {} +; }
ct_submit
