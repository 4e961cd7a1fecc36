# Becomes a relay to a port of a worker's loopback, through a step of the job. Set before: ct_id, ct_node, ct_python, ct_run,
# ct_port.

ct_step() {
    ct_login
    ct_have srun || ct_fail 69 "no srun here"
    # Beside the job's own steps, on the resources that the job has; without --overlap it would wait for them.
    exec srun --overlap --quiet --jobid="$ct_id" --nodelist="$ct_node" --nodes=1 --ntasks=1 --chdir=/ \
        "$ct_python" -B "$ct_run/job/relay.py" "$ct_port"
}
ct_step
