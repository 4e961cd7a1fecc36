# Serves one TensorBoard over the log folders of many runs, on this machine's loopback, and answers requests, a line each on
# standard input. Set before: ct_token; ct_each(), which calls ct_link NAME RUN FOLDER for every run; ct_start, the
# beginning of board_start.sh, and its end, ct_start_end; ct_source, tensorboard.py.
#   poll   whether it answers: `board PORT SECRET`, or `no-board WHY`
#   stop   ends it, and removes all that was made for it
# Every answer ends with a line `done`. It outlives a lost link for a minute, so that the next login finds it again, and ends
# by itself when nobody asks any more.

# A login may lead to another access node next time: this one's has a folder of its own.
ct_board_folder() { printf '%s/.board-%s-%s' "$ct_base" "$ct_token" "$(uname -n)"; }

# ct_link NAME RUN FOLDER: a run's log folder under a name of its own. One that the command has yet to make is found later.
ct_link() {
    [ -d "$2" ] || { ct_say missing "$2"; return 0; }
    ct_read "$2/job/python" && printf '%s\n' "$ct_value" >>"$ct_folder/pythons"
    ln -s "$3" "$ct_folder/runs/$1"
}

# Keeps TensorBoard for as long as somebody asks. Its end is TensorBoard's end, and that of the folder.
ct_keep_board() {
    trap '' HUP PIPE
    trap 'exit 0' TERM INT
    trap 'kill "$ct_board" 2>/dev/null; cd / && rm -rf "$ct_folder"' EXIT
    # A program of its own: a shell's start files may change what this one needs.
    cd / && exec >"$ct_folder/log" 2>&1 </dev/null
    /bin/bash -l "$ct_folder/start.sh" "$ct_folder" &
    ct_board=$!
    while sleep 1; do
        [ -d "$ct_folder" ] && [ -z "$(find "$ct_folder/alive" -prune -mmin +1 2>/dev/null)" ] || exit 0
        kill -0 "$ct_board" 2>/dev/null && continue
        [ -s "$ct_folder/problem" ] || tail -n 3 "$ct_folder/log" | tr '\n' ' ' >"$ct_folder/problem"
        [ -s "$ct_folder/problem" ] || echo "it ended without a word" >"$ct_folder/problem"
    done
}

ct_begin_board() {
    ct_folder=$(ct_board_folder)
    if ct_read "$ct_folder/keeper" && kill -0 "$ct_value" 2>/dev/null; then
        : >"$ct_folder/alive"
        return 0
    fi
    rm -rf "$ct_folder"
    ct_out=$(mkdir -p "$ct_base" && mkdir "$ct_folder" "$ct_folder/runs" 2>&1) \
        || ct_fail 73 "cannot make a folder for TensorBoard on $(uname -n)" "$ct_out"
    ct_scrap=$ct_folder
    : >"$ct_folder/alive"
    ct_each
    [ -n "$(ls "$ct_folder/runs")" ] || ct_fail 66 "the run folders are gone, and what TensorBoard would show with them"
    printf '%s\n' "$ct_source" >"$ct_folder/tensorboard.py"
    printf '%s\n' "$ct_start" "$ct_start_end" >"$ct_folder/start.sh"
    ct_keep_board &
    printf '%s\n' "$!" >"$ct_folder/keeper"
    ct_scrap=
}

ct_serve_board() {
    umask 077
    ct_login
    ct_find_base
    ct_begin_board
    ct_say done ready
    while IFS= read -r ct_request; do
        case $ct_request in
            poll)
                : >"$ct_folder/alive"
                if ct_read "$ct_folder/address"; then
                    ct_say board "$ct_value"
                elif ct_read "$ct_folder/problem"; then
                    ct_say no-board "$ct_value"
                fi
                ;;
            stop)
                ct_read "$ct_folder/keeper" && kill "$ct_value" 2>/dev/null
                ct_tries=0
                while [ -d "$ct_folder" ] && [ "$ct_tries" -lt 30 ]; do
                    ct_tries=$((ct_tries + 1))
                    sleep 0.2 2>/dev/null || sleep 1
                done
                ;;
        esac
        ct_say done "$ct_request"
    done
}
ct_serve_board
