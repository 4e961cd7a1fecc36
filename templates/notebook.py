"""Serves JupyterLab on this machine's loopback, behind a secret token, until it is told to stop.

    python notebook.py ADDRESS_FILE

Whoever has the token can run code as this user, and everyone who is logged in on a worker can connect to its loopback. So
the token, 192 random bits that this program makes up, is in no argument, environment or log: JupyterLab runs in this
process and gets it as a value. What Jupyter writes down about its servers goes to a private folder beside ADDRESS_FILE.

Once the server really answers, ADDRESS_FILE (mode 0600) appears by rename, one line: `PORT TOKEN`. It goes with the server.

Exit status: the server's, 0 when told to stop; 64 (EX_USAGE) for wrong arguments. Python 3.8 or later, JupyterLab 3 or later.
"""

import glob
import http.client
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time

EX_USAGE = 64
LOOK_SECONDS = 0.2  # between two looks at what the server has written down


def server_port(folder):
    """The port that the server has noted; None before."""
    for path in glob.glob(os.path.join(folder, "jpserver-*.json")):
        try:
            with open(path) as file:
                return int(json.load(file)["port"])
        except (OSError, ValueError, KeyError):
            pass  # it is being written
    return None


def answers(port, token):
    """Whether the server lets us in. `http.client` knows of no proxy, which the environment may well name."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/api/status", headers={"Authorization": "token " + token})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def publish(address_file, folder, token):
    """Waits until the server answers, and writes its address down: whole or not at all."""
    while True:
        port = server_port(folder)
        if port and answers(port, token):
            break
        time.sleep(LOOK_SECONDS)
    draft = os.path.join(folder, "address")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("%d %s\n" % (port, token))
    # A relay to this port, where there is no other way to it, runs in the same Python.
    with open(os.path.join(os.path.dirname(address_file), "python"), "w") as file:
        file.write(sys.executable + "\n")
    os.replace(draft, address_file)


def server_arguments(token):
    from jupyter_server import version_info

    # Where the token belongs has changed; the last word counts, over whatever the user's own configuration says.
    owner = "IdentityProvider" if version_info[0] >= 2 else "ServerApp"
    return [
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        "--ServerApp.root_dir=" + os.getcwd(),
        "--ServerApp.password=",
        "--ServerApp.allow_remote_access=False",
        # For a container, or a machine with no other account: the rest is what protects it.
        "--ServerApp.allow_root=True",
        "--%s.token=%s" % (owner, token),
    ]


def remove(path):
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


def main(arguments):
    if len(arguments) != 1 or not arguments[0]:
        sys.stderr.write("usage: notebook.py ADDRESS_FILE\n")
        return EX_USAGE
    address_file = os.path.abspath(arguments[0])
    # This file's folder is the first place where Python looks, and holds modules that are not for notebooks.
    here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder or os.curdir) != here]
    # Slurm's early warning is not for it.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    remove(address_file)  # of an earlier start of the same job
    folder = tempfile.mkdtemp(prefix=".notebook-", dir=os.path.dirname(address_file))
    os.environ["JUPYTER_RUNTIME_DIR"] = folder
    # Kernels and terminals of the notebook inherit the environment: no token of somebody else's server.
    os.environ.pop("JUPYTER_TOKEN", None)
    token = secrets.token_hex(24)
    try:
        from jupyterlab.labapp import LabApp

        threading.Thread(target=publish, args=(address_file, folder, token), daemon=True).start()
        LabApp.launch_instance(argv=server_arguments(token))
        return 0
    finally:
        remove(address_file)
        shutil.rmtree(folder, ignore_errors=True)  # what remains goes with the run's folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
