# shellcheck shell=bash
# The several-hosts variant (root only): the access node and each worker have a network, a host name and an /etc/hosts of
# their own, so that the hop from the access node to a worker, and a link that goes down, are real.
#
#     this machine ──(link "laptop")── login ──(bridge)── n1, n2, …
#
# Nothing needs removing: the namespaces belong to one holder process per host, and the links end with them.

# Usage: host_address NAME: its address inside the cluster.
host_address() {
    local node number=2
    for node in login $NODES; do
        if [ "$node" = "$1" ]; then
            echo "10.$SUBNET.1.$number"
            return
        fi
        number=$((number + 1))
    done
    return 1
}

# The name of the link's end on this machine; interfaces' names have at most 15 characters.
laptop_link() { echo "ctdemo$SUBNET"; }

choose_subnet() {
    local number
    for number in $(shuf -i 200-254); do
        if ! ip -4 -o addr show | grep -qF " 10.$number." && ! ip link show "ctdemo$number" >/dev/null 2>&1; then
            SUBNET=$number
            return
        fi
    done
    fail "no free 10.x network for the demo's hosts"
}

start_hosts() {
    local host pid
    [ -n "$HOSTS" ] || return 0
    {
        printf '127.0.0.1 localhost\n'
        for host in login $NODES; do printf '%s %s\n' "$(host_address "$host")" "$host"; done
    } >"$STATE/hosts"
    chmod 644 "$STATE/hosts"
    for host in login $NODES; do
        # Started here, the holder makes the namespaces; everything of this host then enters them.
        # shellcheck disable=SC2016
        start_daemon "host-$host" here root unshare --net --uts --mount sh -c '
            hostname "$1" && mount --bind "$2" /etc/hosts && ip link set lo up && touch "$3" && exec sleep infinity
            ' holder "$host" "$STATE/hosts" "$STATE/pids/host-$host.ready"
        await_daemon "host-$host" 10 test -e "$STATE/pids/host-$host.ready"
        rm -f "$STATE/pids/host-$host.ready"
    done
    pid=$(daemon_pid host-login)
    ip link add "$(laptop_link)" type veth peer name laptop netns "$pid"
    ip addr add "10.$SUBNET.0.1/24" dev "$(laptop_link)"
    ip link set "$(laptop_link)" up
    on_host login sh -ec "ip addr add 10.$SUBNET.0.2/24 dev laptop; ip link set laptop up
        ip link add cluster type bridge; ip addr add $(host_address login)/24 dev cluster; ip link set cluster up"
    for host in $NODES; do
        on_host login sh -ec "ip link add $host type veth peer name cluster netns $(daemon_pid "host-$host")
            ip link set $host master cluster up"
        on_host "$host" sh -ec "ip addr add $(host_address "$host")/24 dev cluster; ip link set cluster up"
    done
}

stop_hosts() {
    local host
    for host in login $NODES; do stop_daemon "host-$host"; done
    if [ -n "$SUBNET" ] && ip link show "$(laptop_link)" >/dev/null 2>&1; then ip link del "$(laptop_link)"; fi
}

# Usage: set_link NAME up|down: "laptop" is the link from this machine to the access node; a worker's name is its own.
set_link() {
    if [ "$1" = laptop ]; then
        ip link set "$(laptop_link)" "$2"
        # The address stays, the route to it went with the link and comes back with it.
    else
        on_host login ip link set "$1" "$2"
    fi
}
