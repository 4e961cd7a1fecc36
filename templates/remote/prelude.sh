# Runs on the access node (or here, for the embedded default) under any /bin/sh. Everything that it says begins with a
# tag that nobody else knows ($ct_tag), so what start files print cannot be taken for an answer. Set before this text:
#   ct_tag        the tag of the answers
#   ct_variables  names of the variables that ct_root needs
#   ct_root()     prints the folder for runs

# A login that limits idle shells would end ours, which waits for requests.
unset TMOUT

# ct_say KEY VALUE: one line of an answer.
ct_say() { printf '\n%s %s %s\n' "$ct_tag" "$1" "$2"; }

# ct_lines KEY TEXT: one answer for each line of the text.
ct_lines() {
    [ -n "$2" ] || return 0
    printf "%s\n" "$2" | while IFS= read -r ct_line; do [ -z "$ct_line" ] || ct_say "$1" "$ct_line"; done
}

# The folder that is to go when this program fails or is ended.
ct_scrap=
ct_discard() {
    # `rm` inherits this: whoever waits for our last answer, or ends us, ends all of our group as soon as it has it.
    trap '' HUP INT TERM
    [ -z "$ct_scrap" ] || rm -rf "$ct_scrap"
    ct_scrap=
}

# ct_fail STATUS WHAT [WHY]: the last answer of a program that could not do its work, once it has cleaned up. The status
# is one of sysexits.
ct_fail() {
    ct_discard
    ct_say status "$1"
    ct_say problem "$2"
    ct_lines reason "${3:-}"
    ct_say done failed
    exit 1
}

ct_have() { command -v "$1" >/dev/null 2>&1; }

# Whether this environment has what we need: the scheduler's commands and the variables of the folder for runs.
ct_is_ready() {
    scheduler_is_here || return 1
    for ct_name in $ct_variables; do
        eval "[ -n \"\${$ct_name:-}\" ]" || return 1
    done
}

# Finds what only a login finds (sbatch, SCRATCH, ...): asks a login shell for its environment and adopts it.
ct_login() {
    ct_is_ready && return 0
    ct_second=
    for ct_shell in "${SHELL:-/bin/sh}" /bin/bash /bin/sh; do
        [ -x "$ct_shell" ] || continue
        # The question goes in by standard input: `-l` with `-c` is not possible in every shell.
        ct_text=$(printf "exec /bin/sh -c 'echo; echo %s-begin; export -p; echo %s-end'\n" "$ct_tag" "$ct_tag" \
            | "$ct_shell" -l 2>/dev/null)
        case $ct_text in *"$ct_tag-begin"*"$ct_tag-end"*) ;; *) continue ;; esac
        ct_text=${ct_text#*"$ct_tag-begin"}
        ct_text=${ct_text%%"$ct_tag-end"*}
        if (eval "$ct_text"; ct_is_ready) >/dev/null 2>&1; then
            ct_adopt "$ct_text"
            return 0
        fi
        # Not every cluster has every variable: the scheduler alone will do.
        if [ -z "$ct_second" ] && (eval "$ct_text" && scheduler_is_here) >/dev/null 2>&1; then ct_second=$ct_text; fi
    done
    scheduler_is_here || [ -z "$ct_second" ] || ct_adopt "$ct_second"
    scheduler_is_here || ct_fail 69 "$(scheduler_is_missing)" "looked in PATH=$PATH and in the environment of a login shell"
    return 0
}

# ct_adopt EXPORTS: takes over an environment, as `export -p` has it.
ct_adopt() {
    eval "$1"
    unset TMOUT
}

# The folder for runs, as an absolute path in ct_base.
ct_find_base() {
    ct_base=$(ct_root 2>&1) || ct_fail 78 "the folder for runs (untar_path) is not known here" "$ct_base"
    case $ct_base in
        /*) ;;
        *) ct_fail 78 "the folder for runs (untar_path) is not an absolute path here" "it is: $ct_base" ;;
    esac
}

# ct_nearest_to_base: ct_base, or the nearest folder above that there is, in ct_place.
ct_nearest_to_base() {
    ct_place=$ct_base
    while [ ! -d "$ct_place" ] && [ "$ct_place" != / ]; do
        ct_place=${ct_place%/*}
        ct_place=${ct_place:-/}
    done
}

# ct_run_of NAME: the value of the first line of a state file, in ct_value; false when there is none.
ct_read() {
    ct_value=
    [ -r "$1" ] && { IFS= read -r ct_value <"$1" || [ -n "$ct_value" ]; }
}

# The state files of an array's tasks in ct_run, a line each.
ct_tasks() {
    for ct_job in "$ct_run"/job/[0-9]*; do
        [ -d "$ct_job" ] || continue
        ct_line=${ct_job##*/}
        for ct_name in node state exit; do
            ct_read "$ct_job/$ct_name"
            ct_line="$ct_line|$ct_value"
        done
        ct_say task "$ct_line"
    done
}

# This machine since it was started, as a word.
ct_machine() { printf '%s/%s' "$(uname -n)" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"; }

# Which loopback interface this is: see sbatch_script.sh.
ct_loopback() {
    printf '%s %s' "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || uname -n)" "$(readlink /proc/self/ns/net 2>/dev/null)"
}
