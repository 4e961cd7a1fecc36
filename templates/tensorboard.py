"""Serves TensorBoard on this machine's loopback, behind a secret path, for as long as the parent process lives.

    python tensorboard.py LOGDIR ADDRESS_FILE

TensorBoard has no authentication, and a worker is shared: whoever is logged in there can connect to its loopback. So
every page lies under /SECRET, 128 random bits that this program makes up and keeps in memory. It does not run the
`tensorboard` command, whose arguments everyone sees in `ps`, but TensorBoard's own Python interface, in this process.

Once the page really answers, ADDRESS_FILE (mode 0600) appears by rename, one line: `PORT SECRET`. SIGTERM, SIGINT,
SIGHUP or the end of the parent process end this program, which then removes the file.

Keep this file out of the folder where the job's command runs: Python would find it there as the module `tensorboard`.

Exit status: 0 when told to stop, 69 (EX_UNAVAILABLE) when TensorBoard cannot be imported, 1 when it cannot serve,
64 (EX_USAGE) for wrong arguments. Standard error gets failures only. Python 3.6 or later, TensorBoard 2.4 or later.
"""

import http.client
import logging
import os
import re
import secrets
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

EX_USAGE = 64
EX_UNAVAILABLE = 69

RELOAD_SECONDS = 5  # between two looks at the log folder
PARENT_SECONDS = 1  # between two looks at the parent process
ANSWER_SECONDS = 60  # for the first page

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Slurm's early warning is the command's to hear; when it goes to every process of the job, it must not end this one.
IGNORED_SIGNALS = (signal.SIGUSR1, signal.SIGUSR2)


class Unavailable(Exception):
    """TensorBoard cannot be imported; the text says how to get it."""


class LogFormatter(logging.Formatter):
    """Keeps the secret out of the log, tracebacks included."""

    def __init__(self, secret):
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self.secret = secret

    def format(self, record):
        return super().format(record).replace(self.secret, "SECRET")


def is_worth_logging(record):
    """Browsers that hang up are no failure."""
    return not (record.exc_info and isinstance(record.exc_info[1], ConnectionError))


def import_tensorboard(logdir):
    """The modules `tensorboard.program` and `tensorboard.default`, without TensorFlow where it is not needed."""
    # This file is named like the package, and its folder is the first place where Python looks.
    here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder or os.curdir) != here]
    sys.dont_write_bytecode = True

    # Loading TensorFlow takes seconds and hundreds of megabytes of the job's memory, and TensorBoard does without. Only
    # logs in a remote store may need it.
    if not is_url(logdir):
        sys.modules["tensorflow"] = None
    # A plugin that loads a framework all the same must not take a part of the job's GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

    python = sys.executable
    try:
        from tensorboard import default, program
    except ModuleNotFoundError as error:
        if error.name == "tensorboard":
            raise Unavailable(
                "TensorBoard is not installed for {0}; add it with: {0} -m pip install tensorboard".format(python)
            )
        raise Unavailable(
            "TensorBoard of {0} lacks the module {1}; add it with: {0} -m pip install {1}".format(python, error.name)
        )
    except Exception as error:  # such as the TypeError of a protobuf that is too new for it
        reason = " ".join(str(error).split())[:300]
        raise Unavailable(
            "TensorBoard of {0} cannot be imported ({1}: {2}); try: {0} -m pip install --upgrade tensorboard".format(
                python, type(error).__name__, reason
            )
        )
    return program, default


def load_plugins(default):
    """All plugins; without those of other packages when one of these is broken, since it would take all down."""
    try:
        return default.get_plugins()
    except Exception:
        logging.exception("A TensorBoard plugin of another package does not load; going on without such plugins")
        return default.get_static_plugins()


def is_url(logdir):
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", logdir) is not None


def launch(logdir, secret):
    """Starts the server in a thread of its own. Returns its port."""
    program, default = import_tensorboard(logdir)
    # An absolute path starts with "/", so that no version takes "a:b" for a named run or "~" for a home folder.
    place = logdir if is_url(logdir) else os.path.abspath(logdir)
    board = program.TensorBoard(plugins=load_plugins(default))
    board.configure(
        argv=[
            "tensorboard",
            "--logdir=" + place,
            "--host=127.0.0.1",
            "--port=0",
            "--path_prefix=/" + secret,
            "--reload_interval=%d" % RELOAD_SECONDS,
        ]
    )
    # --load_fast=false, which 2.4 does not know: the separate data server listens on a port without any secret.
    board.flags.load_fast = "false"
    return urllib.parse.urlparse(board.launch()).port


def await_page(port, secret):
    """Returns when the front page answers. `http.client` knows of no proxy, which the environment may well name."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/%s/" % secret)
            status = connection.getresponse().status
            if status == 200:
                return
            problem = "its front page answers with status %d" % status
        except (OSError, http.client.HTTPException) as error:
            problem = str(error)
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise RuntimeError("TensorBoard does not serve on port %d: %s" % (port, problem))
        time.sleep(0.1)


class Startup(threading.Thread):
    """Starts TensorBoard beside the main thread, which stays free to notice signals and the end of the parent."""

    def __init__(self, logdir, secret, done):
        super().__init__(daemon=True)
        self.logdir = logdir
        self.secret = secret
        self.done = done
        self.port = None
        self.error = None

    def run(self):
        try:
            port = launch(self.logdir, self.secret)
            await_page(port, self.secret)
            self.port = port
        except BaseException as error:  # argparse ends with SystemExit
            self.error = error
        os.write(self.done, b"\0")


def publish(address_file, folder, port, secret):
    """Writes the address in the private folder, and moves it to its place: nobody can read half of it."""
    draft = os.path.join(folder, "address")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("%d %s\n" % (port, secret))
    os.replace(draft, address_file)


def remove(path):
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


def serve(logdir, address_file, folder, parent):
    """Serves until a signal comes or the parent process is gone. Returns the exit status."""
    # Signals and the startup thread both wake the main thread by a byte in this pipe; a signal's byte is its number.
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # whoever started this may have them blocked
    for number in IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_IGN)

    secret = secrets.token_hex(16)
    log = logging.StreamHandler()
    log.setLevel(logging.ERROR)
    log.setFormatter(LogFormatter(secret))
    log.addFilter(is_worth_logging)
    logging.getLogger().addHandler(log)

    startup = Startup(logdir, secret, waker)
    startup.start()
    # Asked for every second: the death signal that Linux offers follows the parent's thread, not its process.
    while os.getppid() == parent:
        if not select.select([wake], [], [], PARENT_SECONDS)[0]:
            continue
        if os.read(wake, 1) != b"\0":
            return 0
        if isinstance(startup.error, Unavailable):
            sys.stderr.write("%s\n" % startup.error)
            return EX_UNAVAILABLE
        if startup.error is not None:
            lines = traceback.format_exception(None, startup.error, startup.error.__traceback__)
            sys.stderr.write("".join(lines).replace(secret, "SECRET"))
            return 1
        publish(address_file, folder, startup.port, secret)
    return 0


def main(arguments):
    parent = os.getppid()
    if len(arguments) != 2 or not all(arguments):
        sys.stderr.write("usage: tensorboard.py LOGDIR ADDRESS_FILE\n")
        return EX_USAGE
    logdir, address_file = arguments
    os.umask(0o077)
    remove(address_file)  # of an earlier start of the same job

    # Whatever TensorBoard writes on the side goes here: beside the address, so that it ends with the run's folder even
    # when nobody could clean up.
    folder = tempfile.mkdtemp(prefix=".tensorboard-", dir=os.path.dirname(os.path.abspath(address_file)))
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        return serve(logdir, address_file, folder, parent)
    finally:
        remove(address_file)
        shutil.rmtree(folder, ignore_errors=True)  # what remains goes with the run's folder


if __name__ == "__main__":
    status = 1
    try:
        status = main(sys.argv[1:])
    except Exception:
        traceback.print_exc()
    sys.stderr.flush()
    # No orderly end of the interpreter: it would wait for a library's threads, or complain about them.
    os._exit(status)
