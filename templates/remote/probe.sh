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

# The parts of nvidia-smi's XML that are of interest, a line each, and whose the processes are.
ct_probe_gpus() {
    ct_have nvidia-smi || return 0
    if ! ct_out=$(nvidia-smi -q -x 2>&1); then
        ct_say gpu-problem "$(printf '%s\n' "$ct_out" | sed -n '/./{p;q;}')"
        return
    fi
    ct_out=$(printf '%s\n' "$ct_out" | sed -n -e '/<process_name>/d' \
        -e '/<fb_memory_usage>/,/<\/fb_memory_usage>/{p;d;}' -e '/<process_info>/,/<\/process_info>/{p;d;}' \
        -e '/<gpu id=/p;/<\/gpu>/p;/<product_name>/p;/<uuid>/p;/<gpu_util>/p;/<gpu_temp>/p' \
        -e '/<mig_device>/p;/<\/mig_device>/p;/<index>/p;/<gpu_instance_id>/p')
    ct_lines gpu "$ct_out"
    case $ct_out in *"<mig_device>"*) ct_lines device "$(nvidia-smi -L 2>/dev/null)" ;; esac
    for ct_pid in $(printf '%s\n' "$ct_out" | sed -n 's/^.*<pid>\([0-9]*\)<.*$/\1/p'); do
        # The owner is the third column, for a process too.
        set -- $(ls -ld "/proc/$ct_pid" 2>/dev/null)
        [ -z "${3:-}" ] || ct_say owner "$ct_pid $3"
    done
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
