"""Files that environments are made from: how they are read, counted and copied."""
import os
import platform
import shutil
import sys

SKIPPED_FOLDERS = {"__pycache__", "node_modules", "venv", "env"}


def fail(status, text):
    sys.stderr.write("submit: %s\n" % text)
    sys.exit(status)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def text_of(path):
    return read(path).decode("utf-8", "replace")


def files_below(folder):
    """The files of a folder, sorted, without hidden folders and what Python leaves."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS)
        for name in sorted(names):
            yield os.path.join(place, name)


def parse_toml(path):
    try:
        import tomllib
    except ImportError:
        try:
            from pip._vendor import tomli as tomllib
        except ImportError:
            try:
                import tomli as tomllib
            except ImportError:
                fail(69, "%s cannot be read by Python %s: it needs 3.11 or later, or pip 21.2" % (
                    os.path.basename(path), platform.python_version()))
    try:
        return tomllib.loads(text_of(path))
    except ValueError as error:
        fail(65, "%s: %s" % (os.path.basename(path), error))


def digest_folder(digest, folder):
    for path in files_below(folder):
        digest(os.path.relpath(path, folder), read(path) if os.path.isfile(path) else b"")


def copied(folder, scratch):
    """A copy of a folder, so that what is built there leaves nothing in the run folder."""
    place = os.path.join(scratch, "from-%d" % len(os.listdir(scratch)), os.path.basename(os.path.abspath(folder)))
    shutil.copytree(folder, place, symlinks=True, ignore=lambda _, names: [
        name for name in names if name in SKIPPED_FOLDERS or name.startswith(".git")])
    return place


def digest_path(digest, path):
    if os.path.isdir(path):
        digest_folder(digest, path)
    elif os.path.isfile(path):
        digest(os.path.basename(path), read(path))
