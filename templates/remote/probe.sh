# Says what this machine has, and what of it is free. Set before: ct_root() (see prelude.sh), ct_partition_columns.
# What cannot be found out is left out.

# ct_first COMMAND... : the first line that a command prints, when it succeeds.
ct_first() { ct_value=$("$@" 2>/dev/null | head -n 1) && [ -n "$ct_value" ]; }

ct_probe_processors() {
    ct_first getconf _NPROCESSORS_ONLN || ct_first nproc || ct_first sysctl -n hw.ncpu && ct_say cores "$ct_value"
    # `{ 1.20 1.10 1.00 }` with the BSDs.
    { ct_read /proc/loadavg || ct_first sysctl -n vm.loadavg; } && ct_say load "$ct_value"
}

ct_probe_memory() {
    if [ -r /proc/meminfo ]; then
        while read -r ct_name ct_value ct_unit; do
            case $ct_name in MemTotal: | MemAvailable: | MemFree:) ct_say memory "${ct_name%:} $ct_value" ;; esac
        done </proc/meminfo
    elif ct_first sysctl -n hw.memsize; then
        ct_say memory "MemTotal $((ct_value / 1024))"
    fi
}

# The disk that runs go to: of the folder for runs, or of the nearest folder above that there is.
ct_probe_disk() {
    if ! ct_base=$(ct_root 2>&1); then
        ct_lines disk-problem "$ct_base"
        return
    fi
    ct_nearest_to_base
    ct_say runs "$ct_base"
    [ -w "$ct_place" ] || ct_say disk-problem "$ct_place cannot be written to"
    # Size, used and available, in kB, are the three numbers before the per cent; names may have spaces.
    ct_say disk "$(df -Pk "$ct_place" 2>/dev/null | sed -n '$s/^.* \([0-9][0-9]*\)  *[0-9][0-9]*  *\([0-9][0-9]*\)  *[0-9][0-9]*%.*$/\1 \2/p')"
}

# See gpus.sh.
ct_probe_gpus() {
    gpu_describe | while IFS= read -r ct_line; do ct_say "${ct_line%% *}" "${ct_line#* }"; done
}

ct_probe() {
    ct_login
    ct_say host "$(uname -n)"
    ct_probe_processors
    ct_probe_memory
    ct_probe_disk
    ct_probe_gpus
    scheduler_probe
    ct_say done probed
}
ct_probe
