# Downloads files into the folder for data of a project, which its runs see as data/. Set before: ct_root(); ct_project; ct_session: a
# word of whoever asks, the same in all of its logins. On standard input: for each file three lines, NAME, SHA256 (or -) and
# URL, and then nothing more.
# Answers, over and over until all are done: `folder PATH`, `size INDEX BYTES TOTAL` (0: not known), `file INDEX OUTCOME WHY`, each
# time with a line `done more`, in the end `done all`. OUTCOME is fetched, present, failed or differs (from its checksum).

# ct_sum FILE: its SHA-256.
ct_sum() {
    if ct_have sha256sum; then sha256sum <"$1"
    elif ct_have shasum; then shasum -a 256 <"$1"
    else openssl dgst -sha256 -r <"$1"
    fi | cut -c 1-64
}

# The last resort: a program for python that reads the URL from standard input and continues the file in its argument.
ct_python='
import os, shutil, sys, urllib.request
url, path = sys.stdin.readline().strip(), sys.argv[1]
have = os.path.getsize(path) if os.path.exists(path) else 0
request = urllib.request.Request(url, headers={"Range": "bytes=%d-" % have} if have else {})
with urllib.request.urlopen(request, timeout=60) as answer, open(path, "ab" if answer.status == 206 else "wb") as file:
    start = file.tell()
    shutil.copyfileobj(answer, file)
    length = answer.headers.get("Content-Length")
    if length and file.tell() - start < int(length): sys.exit("the connection broke off")
'

# ct_download URL PART: continues a part. The URL may hold a secret: it goes into no argument. Complaints go to standard output.
ct_download() {
    if ct_have curl; then
        printf 'url = "%s"\n' "$1" | curl -fsSL -C - -D "$ct_lock/$ct_index.head" -o "$2" -K - 2>&1 &
    elif ct_have wget && wget --version >/dev/null 2>&1; then
        printf '%s\n' "$1" | wget -nv -c -O "$2" -i - 2>&1 &
    else
        printf '%s\n' "$1" | "$(command -v python3 || echo python)" -c "$ct_python" "$2" 2>&1 &
    fi
    ct_child=$!
    trap 'kill "$ct_child" 2>/dev/null; exit 1' TERM
    wait "$ct_child"
}

# ct_end OUTCOME WHY: of the file that a background process is about.
ct_end() { printf '%s %s\n' "$1" "$(printf %s "$2" | tr '\n' ' ')" >"$ct_lock/$ct_index.new" && mv "$ct_lock/$ct_index.new" "$ct_lock/$ct_index.end"; }

# ct_size_of FILE: how long it is; 0 when it is not there.
ct_size_of() { echo "$(($({ wc -c <"$1"; } 2>/dev/null || echo 0)))"; }

# ct_fetch: in a process of its own.
ct_fetch() {
    trap - EXIT
    if [ -f "$ct_data/$ct_name" ] && { [ "$ct_wanted" = - ] || [ "$(ct_sum "$ct_data/$ct_name")" = "$ct_wanted" ]; }; then
        ct_end present ""
        return
    fi
    ct_said=$ct_lock/$ct_index.said
    # Whether it is one download from its beginning, or continues what may have been another version.
    ct_is_new=yes
    [ ! -s "$ct_part" ] || ct_is_new=
    ct_began_anew=
    while :; do
        ct_before=$(ct_size_of "$ct_part")
        if ct_download "$ct_url" "$ct_part" >"$ct_said"; then
            if [ "$ct_wanted" != - ] && ct_found=$(ct_sum "$ct_part") && [ "$ct_found" != "$ct_wanted" ]; then
                rm -f "$ct_part"
                [ -z "$ct_is_new" ] && ct_is_new=yes && continue
                ct_end differs "its SHA-256 is $ct_found"
            elif mv -f "$ct_part" "$ct_data/$ct_name"; then
                ct_end fetched "$(ct_size_of "$ct_data/$ct_name")"
            else
                ct_end failed "it cannot be written"
            fi
            return
        fi
        if [ "$ct_before" != 0 ] && [ -z "$ct_began_anew" ] && grep -Eq 'range|Range|416' "$ct_said"; then
            # A server that cannot continue, or has nothing to send after what there is.
            rm -f "$ct_part"
            ct_is_new=yes ct_began_anew=yes
        elif [ "$(ct_size_of "$ct_part")" -gt "$ct_before" ]; then
            # It broke off. As long as something comes, there is hope.
            sleep 1
        else
            [ -s "$ct_part" ] || rm -f "$ct_part"
            ct_end failed "$(tail -n 1 "$ct_said")"
            return
        fi
    done
}

ct_stop() {
    trap '' HUP INT TERM
    for ct_process in $ct_processes; do kill "$ct_process" 2>/dev/null; done
    # Only a lock that is ours.
    [ -z "$ct_is_mine" ] || rm -rf "$ct_lock"
}

# ct_take_lock: two that download the same file would spoil it. One of our own, from a login that broke, is ended.
ct_take_lock() {
    until ct_out=$(mkdir "$ct_lock" 2>&1); do
        [ -d "$ct_lock" ] || ct_fail 73 "cannot write in $ct_data on $(uname -n)" "$ct_out"
        ct_read "$ct_lock/owner"
        set -- $ct_value
        if [ "${2:-}" = "$(ct_machine | tr ' ' _)" ]; then
            if kill -0 "$3" 2>/dev/null; then
                [ "$1" = "$ct_session" ] || ct_fail 75 "another cluster data downloads into $ct_data"
                kill "$3" 2>/dev/null
                sleep 1
                continue
            fi
        elif [ -n "$(find "$ct_lock" -prune -mmin -2 2>/dev/null)" ]; then
            [ "${1:-}" = "$ct_session" ] || ct_fail 75 "another cluster data downloads into $ct_data, from another login node"
            sleep 5
            continue
        fi
        rm -rf "$ct_lock"
    done
    ct_is_mine=yes
    printf '%s %s %s\n' "$ct_session" "$(ct_machine | tr ' ' _)" "$$" >"$ct_lock/owner"
}

# ct_tell: what has changed. False when nobody listens any more.
ct_tell() {
    ct_index=0
    while [ "$ct_index" -lt "$ct_count" ]; do
        eval "ct_state=\$ct_state_$ct_index ct_part=\$ct_part_$ct_index"
        if [ "$ct_state" = begun ]; then
            if ct_read "$ct_lock/$ct_index.end"; then
                ct_say file "$ct_index $ct_value" || return 1
                eval "ct_state_$ct_index=told"
                ct_running=$((ct_running - 1)) ct_left=$((ct_left - 1))
            elif [ -f "$ct_part" ]; then
                # The last answer's: of a part `bytes FROM-TO/TOTAL`.
                ct_total=$({ tr -d '\r' <"$ct_lock/$ct_index.head" | grep -iE '^content-(length|range): ' | sort | tail -n 1; } 2>/dev/null)
                ct_total=${ct_total##*[ /]}
                case $ct_total in *[!0-9]*) ct_total= ;; esac
                ct_say size "$ct_index $(ct_size_of "$ct_part") ${ct_total:-0}" || return 1
            fi
        fi
        ct_index=$((ct_index + 1))
    done
    touch "$ct_lock"
    ct_say done more
}

ct_fetch_all() {
    trap '' PIPE
    ct_processes= ct_is_mine=
    [ -z "$ct_variables" ] || ct_login
    ct_find_base
    (umask 077 && mkdir -p "$ct_base/$ct_project") 2>/dev/null
    ct_data=$ct_base/$ct_project/data
    ct_out=$(mkdir -p "$ct_data" 2>&1) || ct_fail 73 "cannot make $ct_data on $(uname -n)" "$ct_out"
    ct_have curl || ct_have wget || ct_have python3 || ct_have python || ct_fail 69 "$(uname -n) has no curl, wget or python to download with"
    ct_lock=$ct_data/.downloads
    trap ct_stop EXIT
    trap 'exit 1' HUP INT TERM
    ct_take_lock
    ct_count=0
    while IFS= read -r ct_name && IFS= read -r ct_wanted && IFS= read -r ct_url; do
        # Another URL's part is not continued.
        ct_part=$ct_data/.$ct_name.download-$(printf %s "$ct_url" | cksum | cut -d ' ' -f 1)
        for ct_field in name wanted url part; do eval "ct_${ct_field}_$ct_count=\$ct_$ct_field"; done
        eval "ct_state_$ct_count=waiting"
        ct_count=$((ct_count + 1))
    done
    ct_say folder "$ct_data"
    ct_left=$ct_count ct_running=0 ct_next=0
    while [ "$ct_left" -gt 0 ]; do
        while [ "$ct_running" -lt 4 ] && [ "$ct_next" -lt "$ct_count" ]; do
            ct_index=$ct_next
            for ct_field in name wanted url part; do eval "ct_$ct_field=\$ct_${ct_field}_$ct_index"; done
            eval "ct_state_$ct_index=begun"
            # It must not hold the streams that tell the other side of our end.
            (ct_fetch) </dev/null >/dev/null 2>&1 &
            ct_processes="$ct_processes $!"
            ct_running=$((ct_running + 1)) ct_next=$((ct_next + 1))
        done
        ct_tell || exit 1
        [ "$ct_left" -eq 0 ] || sleep 0.3 2>/dev/null || sleep 1
    done
    ct_say done all
}
ct_fetch_all
