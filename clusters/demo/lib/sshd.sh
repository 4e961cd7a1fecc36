# shellcheck shell=bash
# An SSH server of the demo's own: its host key, its client key and its configuration all lie in the state folder, and
# nobody's ~/.ssh is read or written.

make_keys() {
    local name
    mkdir -p "$STATE/ssh"
    for name in host_key id_ed25519; do
        [ -f "$STATE/ssh/$name" ] || ssh-keygen -q -t ed25519 -N '' -C "cluster-tools demo" -f "$STATE/ssh/$name"
    done
    cp "$STATE/ssh/id_ed25519.pub" "$STATE/ssh/authorized_keys"
}

# The environment a site's start files would set for every session. Where Slurm is "only in a login shell" neither its
# commands nor its configuration are found before the login shell's own start files have run.
session_environment() {
    local path=/usr/local/bin:/usr/bin:/bin:/usr/sbin
    if [ "$SLURM_IN" = login ]; then
        printf 'PATH=%s' "$STATE/bin"
    else
        printf 'PATH=%s SLURM_CONF=%s' "$path" "$STATE/slurm.conf"
    fi
    printf ' HOME=%s %s=%s' "$HOME_FOLDER" "$COOKIE_NAME" "$STATE"
}

# What a host's sshd listens on.
write_sshd_configuration() {
    local host=$1 address=$2
    # Of an option the first mention counts, so those that were asked for come first.
    # shellcheck disable=SC2153 # ACCOUNT is a setting
    cat >"$STATE/ssh/sshd_config-$host" <<CONF
${EXTRA_SSHD}ListenAddress $address
Port $SSH_PORT
HostKey $STATE/ssh/host_key
AuthorizedKeysFile $STATE/ssh/authorized_keys
StrictModes no
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers $ACCOUNT
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
X11Forwarding no
PrintMotd no
UseDNS no
MaxStartups 100
Subsystem sftp internal-sftp
LogLevel VERBOSE
SetEnv $(session_environment)
CONF
}

# Usage: as_client COMMAND...: a command over SSH, as the laptop would run it.
ssh_as_client() {
    ssh -F none -i "$STATE/ssh/id_ed25519" -p "$SSH_PORT" -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none \
        -o UserKnownHostsFile="$STATE/ssh/known_hosts" -o GlobalKnownHostsFile=/dev/null \
        -o StrictHostKeyChecking=yes -o ConnectTimeout=5 "$ACCOUNT@$SSH_ADDRESS" "$@" </dev/null
}

sshd_answers() { ssh_as_client true >/dev/null 2>&1; }

# As root sshd insists on this folder; the package makes it only when the service starts.
prepare_sshd() {
    if [ "$(id -u)" -eq 0 ]; then (umask 022 && mkdir -p /run/sshd); fi
}

sshd_daemons() {
    local node
    echo sshd
    if [ -n "$HOSTS" ]; then
        for node in $NODES; do echo "sshd-$node"; done
    fi
}

# Usage: start_one_sshd NAME HOST ADDRESS
start_one_sshd() {
    local account=$ACCOUNT
    # On port 22, and for anyone's login, it has to be root's.
    if [ -n "$HOSTS" ]; then account=$(id -un); fi
    write_sshd_configuration "$2" "$3"
    # By its full path: sshd starts itself again for each connection.
    start_daemon "$1" "$2" "$account" "$(command -v sshd)" -D -e -f "$STATE/ssh/sshd_config-$2"
}

write_known_hosts() {
    local key node
    key=$(cut -d ' ' -f 1,2 "$STATE/ssh/host_key.pub")
    {
        if [ "$SSH_PORT" = 22 ]; then
            printf '%s %s\n' "$SSH_ADDRESS" "$key"
        else
            printf '[%s]:%s %s\n' "$SSH_ADDRESS" "$SSH_PORT" "$key"
        fi
        # The way to a worker leads through the access node, by the worker's name.
        if [ -n "$HOSTS" ]; then
            for node in login $NODES; do printf '%s,%s %s\n' "$node" "$(host_address "$node")" "$key"; done
        fi
    } >"$STATE/ssh/known_hosts"
}

start_sshd() {
    local node
    prepare_sshd
    write_known_hosts
    if [ -z "$HOSTS" ]; then
        start_one_sshd sshd here 127.0.0.1
    else
        start_one_sshd sshd login 0.0.0.0
        for node in $NODES; do start_one_sshd "sshd-$node" "$node" 0.0.0.0; done
    fi
    await_daemon sshd 20 sshd_answers
}

# A stopped listener leaves its sessions alive; those end with it here.
stop_sshd() {
    local name
    for name in $(sshd_daemons); do stop_daemon "$name"; done
}
