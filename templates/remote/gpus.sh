# gpu_describe: what there is to know of this machine's GPUs, a line each: `gpu` and an element of nvidia-smi's XML, `device` and a
# line of its list, where a GPU is divided, `owner PID USER` of the processes, `gpu-problem` and why nothing is known.
gpu_describe() {
    if ! command -v nvidia-smi >/dev/null 2>&1; then
        [ ! -e /dev/kfd ] || printf 'gpu-problem there are GPUs of AMD, which cannot be read\n'
        return 0
    fi
    if ! gpu_out=$(nvidia-smi -q -x 2>&1); then
        printf 'gpu-problem %s\n' "$(printf '%s\n' "$gpu_out" | sed -n '/./{p;q;}')"
        return 0
    fi
    # The parts that are of interest.
    gpu_out=$(printf '%s\n' "$gpu_out" | sed -n -e '/<process_name>/d' \
        -e '/<fb_memory_usage>/,/<\/fb_memory_usage>/{p;d;}' -e '/<process_info>/,/<\/process_info>/{p;d;}' \
        -e '/<gpu id=/p;/<\/gpu>/p;/<product_name>/p;/<uuid>/p;/<gpu_util>/p;/<gpu_temp>/p;/power_draw>/p' \
        -e '/<mig_device>/p;/<\/mig_device>/p;/<index>/p;/<gpu_instance_id>/p')
    printf '%s\n' "$gpu_out" | sed 's/^/gpu /'
    case $gpu_out in *"<mig_device>"*) nvidia-smi -L 2>/dev/null | sed 's/^/device /' ;; esac
    for gpu_pid in $(printf '%s\n' "$gpu_out" | sed -n 's/^.*<pid>\([0-9]*\)<.*$/\1/p'); do
        # The owner is the third column, for a process too.
        set -- $(ls -ld "/proc/$gpu_pid" 2>/dev/null)
        [ -z "${3:-}" ] || printf 'owner %s %s\n' "$gpu_pid" "$3"
    done
}
