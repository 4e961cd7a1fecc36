# Says every few seconds what a job uses, on all of its nodes: see sample.sh. Set before: ct_id, Slurm's number of the job, empty where there
# is no Slurm; ct_run; ct_own, the folder of its state files; ct_nodes, how many; ct_interval and ct_count; ct_sampler, the text.

# What the job may use of a node's memory, in MB.
ct_allowed_memory() {
    ct_value=$(scontrol -o show job "$ct_id" 2>/dev/null | sed -n 's/^.* MinMemoryNode=\([0-9.]*[KMGT]\{0,1\}\) .*$/\1/p')
    case $ct_value in
        *T) ct_value=$((${ct_value%%[.T]*} * 1048576)) ;;
        *G) ct_value=$((${ct_value%%[.G]*} * 1024)) ;;
        *M) ct_value=${ct_value%%[.M]*} ;;
        *) ct_value= ;;
    esac
    # Nothing was asked for: all of it.
    [ "$ct_value" != 0 ] || ct_value=
}

# The job's environment stays outside: nobody is to take us for a part of it.
ct_clean='exec env -i PATH="$PATH" HOME="${HOME:-/}" sample_cores="${SLURM_CPUS_ON_NODE:-}" sample_devices="${CUDA_VISIBLE_DEVICES-unknown}" \
    sample_place="${SLURMD_NODENAME:-}" LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" /bin/sh -c "$1" sample "$2" "${SLURMD_NODENAME:-$(uname -n)}" "$3" "$4" "$5" "$6" "$7"'

ct_top() {
    [ -z "$ct_id" ] || ct_login
    if [ -z "$ct_id" ]; then
        ct_mark=SUBMIT_RUN=$(ct_place)
        unset SLURM_CPUS_ON_NODE SLURMD_NODENAME CUDA_VISIBLE_DEVICES
        exec /bin/sh -c "$ct_clean" clean "$ct_sampler" "$ct_tag" "$ct_mark" "$ct_own" "$ct_interval" "$ct_count" ''
    fi
    ct_have srun || ct_fail 69 "no srun on $(uname -n)" "looked in PATH=$PATH"
    ct_allowed_memory
    ct_find_overlap
    exec srun $ct_overlap --quiet --jobid="$ct_id" --nodes="$ct_nodes" --ntasks="$ct_nodes" --ntasks-per-node=1 --mem=0 --chdir=/ \
        /bin/sh -c "$ct_clean" clean "$ct_sampler" "$ct_tag" "SLURM_JOB_ID=$ct_id" "$ct_own" "$ct_interval" "$ct_count" "$ct_value"
}
ct_top
