# Runs within a job, on each of its nodes, under any /bin/sh, after gpus.sh: says every few seconds what the job uses there. As long
# as its standard input, and as the job. Without the job's environment, so as not to be taken for a part of it. Arguments:
#   TAG NODE MARK OWN INTERVAL COUNT MEMORY
# MARK is in the environment of the job's processes; OWN is the folder of its state files; COUNT is how often, 0 for ever; MEMORY what
# the job may use here, in MB, where that is known. In the environment: sample_cores, how many cores it has, and sample_devices,
# the GPUs that are its own; sample_place, the name that Slurm has for this node. A line is TAG KEY NODE VALUE; `end` ends a sample.

sample_tag=$1 sample_node=$2 sample_mark=$3 sample_own=$4 sample_interval=$5 sample_left=$6 sample_memory=$7

# When the link ends, so does our input.
exec 3<&0 </dev/null
(cat <&3; kill -TERM $$) >/dev/null 2>&1 &
sample_watch=$!
exec 3<&-

sample_say() { printf '%s %s %s %s\n' "$sample_tag" "$1" "$sample_node" "$2"; }

# Variables in /proc/PID/environ end with NUL: a whole one is to be found, and not the beginning of one.
sample_whole=-zx
printf 'a\0' | grep -qzxF a 2>/dev/null || sample_whole=

# The control group of the job, if it has one: what may be used, and what was used by processes that have gone, too.
sample_group() {
    [ -r /proc/self/cgroup ] || return 0
    while IFS=: read -r sample_number sample_kind sample_path; do
        case $sample_path in */job_*) ;; *) continue ;; esac
        sample_rest=${sample_path#*/job_}
        sample_path=${sample_path%"$sample_rest"}${sample_rest%%/*}
        case $sample_kind in
            '') sample_limit=/sys/fs/cgroup$sample_path/memory.max sample_used=/sys/fs/cgroup$sample_path/cpu.stat ;;
            memory) sample_limit=/sys/fs/cgroup/memory$sample_path/memory.limit_in_bytes ;;
            *cpuacct*) sample_used=/sys/fs/cgroup/$sample_kind$sample_path/cpuacct.usage ;;
        esac
    done </proc/self/cgroup
}
sample_limit='' sample_used=''
sample_group

# All that awk reads in one go.
sample_program='
function first(file,   line) { line = ""; if ((getline line < file) < 0) line = ""; close(file); return line }
function say(key, value) { if (value != "") print tag, key, node, value }
BEGIN {
    split(first("/proc/uptime"), words, " ")
    say("at", words[1])
    line = first("/proc/stat")
    n = split(line, words, " ")
    total = 0
    # What guests have used is part of what users have.
    for (i = 2; i <= n && i <= 9; i++) total += words[i]
    if (n > 5) say("cpu", sprintf("%.0f %.0f", total - words[5] - words[6], total))
    split(first("/proc/loadavg"), words, " ")
    say("load", words[1])
    while ((getline line < "/proc/meminfo") > 0) {
        split(line, words, " ")
        if (words[1] == "MemTotal:" || words[1] == "MemAvailable:" || words[1] == "MemFree:") say("memory", words[1] " " words[2])
    }
    if (limit != "") say("limit", first(limit))
    if (used != "") say("used", first(used))
    n = split(files, each, " ")
    for (i = 1; i <= n; i++) {
        pid = each[i]
        sub(/^\/proc\//, "", pid); sub(/\/environ$/, "", pid)
        line = first("/proc/" pid "/stat")
        # The name is in parentheses, and may hold anything.
        if (!match(line, /^[0-9]+ \(.*\) /)) continue
        name = substr(line, 1, RLENGTH - 2)
        sub(/^[0-9]+ \(/, "", name)
        split(substr(line, RLENGTH + 1), words, " ")
        # State, ticks, beginning, pages, threads.
        if (words[1] != "Z") say("process", pid " " words[1] " " words[12] + words[13] " " words[20] " " words[22] " " words[18] " " name)
    }
}'

sample_processes() {
    # Where one machine is several nodes, each has its own.
    sample_files=$(grep -ls $sample_whole -F -- "$sample_mark" /proc/[0-9]*/environ 2>/dev/null)
    [ -z "$sample_files" ] || [ -z "${sample_place:-}" ] \
        || sample_files=$(grep -ls $sample_whole -F -- "SLURMD_NODENAME=$sample_place" $sample_files /dev/null 2>/dev/null)
    awk -v tag="$sample_tag" -v node="$sample_node" -v limit="$sample_limit" -v used="$sample_used" \
        -v files="$(printf %s "$sample_files" | tr '\n' ' ')" "$sample_program"
    # Whose they are and what they were started as: said again when there are others.
    [ "$sample_files" != "$sample_known" ] || return 0
    sample_known=$sample_files
    sample_list=$(printf '%s\n' "$sample_files" | sed -n 's/^.proc.\([0-9]*\).environ$/\1/p' | tr '\n' ',')
    sample_list=${sample_list%,}
    [ -n "$sample_list" ] || return 0
    { ps -o pid= -o user:32= -o args= -p "$sample_list" 2>/dev/null || ps -o pid,user,args 2>/dev/null; } \
        | awk -v tag="$sample_tag" -v node="$sample_node" -v list=",$sample_list," \
            'index(list, "," $1 ",") { sub(/^ +/, ""); gsub(/ +/, " "); print tag, "command", node, substr($0, 1, 1000) }'
}

sample_say cores "${sample_cores:-$(nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo)}"
sample_say clock "$(getconf CLK_TCK 2>/dev/null || echo 100) $(getconf PAGESIZE 2>/dev/null || echo 4096)"
[ -z "$sample_memory" ] || sample_say allowed "$sample_memory"
if [ "${sample_devices:-unknown}" = unknown ] && [ -r "$sample_own/.environment" ]; then
    sample_devices=$(sed -n "s/^export CUDA_VISIBLE_DEVICES='\(.*\)'\$/\1/p" "$sample_own/.environment")
fi
[ "${sample_devices:-unknown}" = unknown ] || sample_say devices "$sample_devices"
sample_known=none
while :; do
    sample_processes
    gpu_describe | while IFS= read -r sample_line; do sample_say "${sample_line%% *}" "${sample_line#* }"; done
    sample_say end ''
    sample_left=$((sample_left - 1))
    [ "$sample_left" -ne 0 ] || break
    [ ! -e "$sample_own/end" ] || { sample_say over ''; break; }
    sleep "$sample_interval"
done
kill "$sample_watch" 2>/dev/null
