# shellcheck shell=bash
# munged, slurmctld and a slurmd for each node.

# Prints NAME's address on the cluster's own network.
node_address() {
    if [ -z "$HOSTS" ]; then echo 127.0.0.1; else host_address "$1"; fi
}

# The GPUs that Slurm believes NAME to have. Nothing is behind them: jobs get them counted, and that is all.
node_gpus() {
    case $1 in
        n1) echo gpu:a100:4 ;;
        *) echo gpu:h100_1g.10gb:7 ;;
    esac
}

write_gres_configuration() {
    local node gpus count number
    mkdir -p "$STATE/gpu"
    for node in $NODES; do
        gpus=$(node_gpus "$node") && gpus=${gpus#gpu:} && count=${gpus#*:}
        # Slurm counts files, which need not be devices.
        for ((number = 0; number < count; number++)); do : >"$STATE/gpu/$node-$number"; done
        printf 'NodeName=%s Name=gpu Type=%s File=%s\n' "$node" "${gpus%:*}" "$STATE/gpu/$node-[0-$((count - 1))]"
    done >"$STATE/gres.conf"
}

node_lines() {
    local node port=$SLURMD_PORT
    for node in $NODES; do
        # config_overrides lets a node have more than the machine has. One machine can be several nodes as long as each
        # has a port of its own.
        if [ -n "$HOSTS" ]; then
            printf 'NodeName=%s NodeHostname=%s NodeAddr=%s Port=%s' "$node" "$node" "$(node_address "$node")" "$SLURMD_PORT"
        else
            printf 'NodeName=%s NodeHostname=%s NodeAddr=127.0.0.1 Port=%s' "$node" "$(hostname -s)" "$port"
            port=$((port + 1))
        fi
        printf ' CPUs=8 RealMemory=16000 TmpDisk=1000 Gres=%s State=UNKNOWN\n' "$(node_gpus "$node")"
    done
}

write_slurm_configuration() {
    write_gres_configuration
    local controller communication="NoCtldInAddrAny,NoInAddrAny"
    controller="$(hostname -s)(127.0.0.1)"
    if [ -n "$HOSTS" ]; then controller="login($(host_address login))"; fi
    cat >"$STATE/slurm.conf" <<CONF
ClusterName=demo
SlurmctldHost=$controller
SlurmUser=$ACCOUNT
SlurmdUser=$ACCOUNT
SlurmctldPort=$SLURMCTLD_PORT
# Nothing listens on an outside address.
CommunicationParameters=$communication
AuthType=auth/munge
AuthInfo=socket=$STATE/munge/socket
CredType=cred/munge
StateSaveLocation=$STATE/slurmctld
SlurmdSpoolDir=$STATE/slurmd-%n
SlurmctldPidFile=$STATE/slurmctld/pid
SlurmdPidFile=$STATE/slurmd-%n/pid
SlurmdParameters=config_overrides
# Nothing that needs root or cgroups. linuxproc finds a job's processes by their parents.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
GresTypes=gpu
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
# A job starts at once.
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,sched_min_interval=0,batch_sched_delay=0,bf_interval=5
ReturnToService=2
KillWait=5
InactiveLimit=0
SlurmctldTimeout=30
SlurmdTimeout=60
$(node_lines)
PartitionName=debug Nodes=ALL Default=YES DefaultTime=30:00 MaxTime=1-00:00:00 State=UP
CONF
    if [ -n "$MEMORY_LIMITS" ]; then
        EXTRA_SLURM="$EXTRA_SLURM ProctrackType=proctrack/cgroup TaskPlugin=task/cgroup"
        printf '%s\n' CgroupPlugin=cgroup/v1 "CgroupMountpoint=$CGROUPS" ConstrainRAMSpace=yes >"$STATE/cgroup.conf"
    fi
    # Options given with --slurm come instead of the ones above: Slurm refuses a key that is there twice.
    local option
    for option in $EXTRA_SLURM; do
        sed -i "/^${option%%=*}=/d" "$STATE/slurm.conf"
        printf '%s\n' "$option" >>"$STATE/slurm.conf"
    done
}

CGROUPS=/sys/fs/cgroup

# Slurm names its control groups after the nodes alone, so only one cluster on a machine can have them.
check_cgroups() {
    local node
    [ "$(id -u)" -eq 0 ] || fail "--memory-limits needs root"
    grep -q " $CGROUPS/memory cgroup " /proc/mounts || fail "--memory-limits needs the memory controller of cgroup v1"
    remove_cgroups
    for node in $NODES; do
        [ ! -e "$CGROUPS/memory/slurm_$node" ] || fail "another cluster with --memory-limits is up on this machine"
    done
}

# Only empty ones can be removed, so those of a running cluster stay.
remove_cgroups() {
    local node
    for node in $NODES; do
        find "$CGROUPS"/*/"slurm_$node" -depth -type d -exec rmdir {} + 2>/dev/null
    done
}

slurm_host() { if [ -n "$HOSTS" ]; then echo login; else echo here; fi; }

munge_answers() { munge --no-input --socket="$STATE/munge/socket" >/dev/null 2>&1; }

start_munged() {
    mkdir -p "$STATE/munge"
    # 0700 folders are what we want and what munged warns of: --force.
    if [ ! -f "$STATE/munge/key" ]; then
        (umask 077 && head -c 1024 /dev/urandom >"$STATE/munge/key")
        own "$STATE/munge" "$STATE/munge/key"
    fi
    start_daemon munged here "$ACCOUNT" munged --foreground --force --num-threads=4 \
        --socket="$STATE/munge/socket" --key-file="$STATE/munge/key" --pid-file="$STATE/munge/pid" \
        --log-file="$STATE/munge/munged.log" --seed-file="$STATE/munge/seed"
    await_daemon munged 20 munge_answers
}

slurm() { on_host "$(slurm_host)" env SLURM_CONF="$STATE/slurm.conf" "$@"; }

slurmctld_answers() { slurm timeout 10 scontrol ping 2>/dev/null | grep -q 'is UP'; }

start_slurmctld() {
    mkdir -p "$STATE/slurmctld"
    own "$STATE/slurmctld"
    start_daemon slurmctld "$(slurm_host)" "$ACCOUNT" slurmctld -D -f "$STATE/slurm.conf"
    await_daemon slurmctld 30 slurmctld_answers
}

# Nodes that can take a job now.
nodes_ready() {
    local node
    for node; do
        case $(slurm timeout 10 sinfo -h -n "$node" -o %T 2>/dev/null) in
            idle | mixed | allocated | completing) ;;
            *) return 1 ;;
        esac
    done
}

start_slurmd() {
    local node=$1 host=here
    if [ -n "$HOSTS" ]; then host=$node; fi
    mkdir -p "$STATE/slurmd-$node"
    own "$STATE/slurmd-$node"
    start_daemon "slurmd-$node" "$host" "$ACCOUNT" "$NODE_COOKIE_NAME=$node" slurmd -D -N "$node" -f "$STATE/slurm.conf"
}

start_slurm() {
    local node
    start_munged
    start_slurmctld
    for node in $NODES; do start_slurmd "$node"; done
    for node in $NODES; do await_daemon "slurmd-$node" 30 nodes_ready "$node"; done
}

# Jobs are cancelled while there is a slurmd to end their processes properly; whatever that leaves is ended later.
cancel_jobs() {
    alive slurmctld || return 0
    jobs_gone() { [ -z "$(slurm timeout 5 squeue -h -o %i 2>/dev/null)" ]; }
    jobs_gone && return
    slurm timeout 5 scancel --user="$ACCOUNT" 2>/dev/null
    wait_for 8 jobs_gone
}

stop_slurm() {
    local node
    for node in $NODES; do stop_daemon "slurmd-$node"; done
    stop_daemon slurmctld
    stop_daemon munged
}
