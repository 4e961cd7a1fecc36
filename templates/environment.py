"""What defines a Python environment, for environment.sh:

    environment.py plan KIND FILE CODE           what it is made from, as lines `KEY VALUE`
    environment.py requirements KIND FILE SCRATCH  the same as lines for pip; folders to install from are copied to SCRATCH
    environment.py names CODE                    the packages that the imports need, a line each; wants pipreqs
    environment.py uv                            pip's settings as shell lines for uv

KIND is requirements, project (pyproject.toml), lock (uv.lock), conda (environment.yml) or imports. Runs with Python 3.6 and later,
and what it says for a person goes to standard error. Status 65: it cannot be used, 69: by this Python it cannot, 3 of `uv`: not by uv.
"""
import ast
import hashlib
import os
import platform
import re
import shutil
import sys

# Another number where the same definition makes another environment than before.
VERSION = 1
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
                fail(69, "%s cannot be read by Python %s: it needs 3.11 or later, or pip" % (
                    os.path.basename(path), platform.python_version()))
    try:
        return tomllib.loads(text_of(path))
    except ValueError as error:
        fail(65, "%s: %s" % (os.path.basename(path), error))


# Requirement files

class Requirements:
    """A requirements file with all that it includes, in order; paths in it are relative to the folder of the first one."""

    PATH = re.compile(r"(\.{1,2}/|/|file:)|.*\.(whl|zip|tar\.gz|tgz|tar\.bz2)$", re.I)

    def __init__(self, path):
        self.path = path
        self.folder = os.path.dirname(path)
        self.lines = []
        # Names and contents of what decides what is installed, beside the lines themselves.
        self.contents = []
        self.folders = []
        self.link_folders = []
        # Where modules are that come from the run folder.
        self.modules = []
        self._seen = set()
        self._include(path, "")

    def _include(self, path, prefix):
        path = os.path.normpath(path)
        if path in self._seen:
            return
        self._seen.add(path)
        try:
            text = text_of(path)
        except OSError as error:
            fail(65, "%s cannot be read: %s" % (path, error.strerror))
        for line in re.sub(r"\\\r?\n", " ", text).splitlines():
            line = re.sub(r"(^|\s)#.*$", "", line).strip()
            if line:
                self._take(line, os.path.dirname(path), prefix)

    def _take(self, line, folder, prefix):
        match = re.match(r"(-r|--requirement|-c|--constraint)(?:\s+|=|(?<=-[rc]))(.+)$", line)
        if match and "://" not in match.group(2):
            kind = "-c " if prefix or match.group(1) in ("-c", "--constraint") else ""
            self._include(os.path.join(folder, match.group(2).strip("'\"")), kind)
            return
        links = re.match(r"(?:-f|--find-links)(?:\s+|=)(.+)$", line)
        if links:
            # Packages that lie here are part of what it is made from.
            place = os.path.join(folder, links.group(1).strip("'\""))
            if os.path.isdir(place):
                self.link_folders.append(place)
                line = "--find-links " + os.path.abspath(place)
            self.lines.append(("links", line))
            return
        local = self._local(line)
        if local:
            self._take_local(line, *local)
        elif prefix:
            # A constraint holds whatever asks for the package.
            self.lines.append(("constraint", line))
        else:
            self.lines.append(("line", line))

    def _local(self, line):
        """The path of something here that a line installs, and what follows it, such as extras."""
        word = re.sub(r"^(-e|--editable)(\s+|=)", "", line)
        named = re.match(r"[\w.\-\[\], ]+@\s*(file:\S+)", word)
        path = named.group(1) if named else word.split(" ;")[0].split(" --")[0].strip().strip("'\"")
        extras = re.search(r"\[[^\]]*\]$", path)
        path, extras = (path[:extras.start()], extras.group(0)) if extras else (path, "")
        is_path = word != line or named or self.PATH.match(path) or path in (".", "..")
        if path.startswith("file:"):
            path = re.sub(r"^file:(//(localhost)?(?=/))?", "", path)
        if not is_path or "://" in path or path.startswith(("git+", "hg+", "svn+", "bzr+")):
            return None
        path = os.path.join(self.folder, path)
        return (path, extras) if os.path.exists(path) else None

    def _take_local(self, line, path, extras):
        project = Project.editable(path) if line.startswith(("-e", "--editable")) else None
        needed = project.needed(extras) if project else None
        if needed is not None:
            # What is edited is the run's own, and makes no other environment.
            self.modules.append(project.module_folder())
            self.lines.extend(("line", line) for line in needed)
        elif os.path.isdir(path):
            # Its files as they are: a link to them would be to another job's tomorrow.
            self.folders.append(path)
            self.lines.append(("folder", path, extras))
        else:
            self.contents.append((os.path.basename(path), read(path)))
            self.lines.append(("file", os.path.abspath(path) + extras))

    def digest(self, digest):
        for line in self.lines:
            # Where the run folder is makes no difference.
            digest("line", repr(line).replace(repr(os.path.abspath(self.folder))[1:-1], ""))
        for name, content in self.contents:
            digest(name, content)
        for folder in self.folders + self.link_folders:
            digest_folder(digest, folder)

    def written(self, scratch):
        """Lines for pip and uv, which are started in the folder of the file."""
        if not self.folders and not self.modules:
            yield "-r " + self.path
            return
        constraints = [line[1] for line in self.lines if line[0] == "constraint"]
        if constraints:
            path = os.path.join(scratch, "constraints.txt")
            with open(path, "w") as file:
                file.write("\n".join(constraints) + "\n")
            yield "-c " + path
        for line in self.lines:
            if line[0] == "folder":
                yield copied(line[1], scratch) + line[2]
            elif line[0] != "constraint":
                yield line[1]


def digest_folder(digest, folder):
    for path in files_below(folder):
        digest(os.path.relpath(path, folder), read(path) if os.path.isfile(path) else b"")


def copied(folder, scratch):
    """A copy of a folder, so that what is built there leaves nothing in the run folder."""
    place = os.path.join(scratch, "from-%d" % len(os.listdir(scratch)), os.path.basename(os.path.abspath(folder)))
    shutil.copytree(folder, place, symlinks=True, ignore=lambda _, names: [
        name for name in names if name in SKIPPED_FOLDERS or name.startswith(".git")])
    return place


# Projects

class Project:
    """pyproject.toml: its dependencies where it lists them, else the project itself, which its build backend has to be asked about."""

    def __init__(self, path):
        self.folder = os.path.dirname(path)
        table = parse_toml(path)
        project = table.get("project", {})
        self.requires = project.get("requires-python") or ""
        self.is_listed = bool(project) and "dependencies" not in project.get("dynamic", [])
        self.name = project.get("name", "")
        self.dependencies = project.get("dependencies", [])
        self.extras = project.get("optional-dependencies", {})
        self.tool = table.get("tool", {}).get("uv", {})
        self.groups = table.get("dependency-groups", {})
        self.sources = [s["path"] for s in self.tool.get("sources", {}).values() if isinstance(s, dict) and "path" in s]

    # What a folder of modules alone has not.
    COMPILED = re.compile(r".*\.(c|cc|cpp|cu|pyx|rs|f|f90|f95)$|CMakeLists\.txt$|meson\.build$")

    @classmethod
    def editable(cls, folder):
        """The project of a folder whose modules can be used where they are, without it being installed."""
        path = os.path.join(folder, "pyproject.toml")
        if not os.path.isfile(path) or any(cls.COMPILED.match(os.path.basename(name)) for name in files_below(folder)):
            return None
        project = cls(path)
        return project if project.is_listed else None

    def needed(self, extras):
        """Its dependencies with those of some extras, as in `[train,plots]`; None where they are not plainly listed."""
        wanted = list(self.dependencies)
        for extra in filter(None, (word.strip() for word in extras.strip("[]").split(","))):
            if extra not in self.extras:
                return None
            wanted += self.extras[extra]
        own = re.compile(r"%s\s*\[" % re.escape(self.name), re.I)
        return None if any(own.match(line) for line in wanted) else wanted

    def digest(self, digest):
        if self.is_listed:
            digest("dependencies", repr((self.dependencies, self.requires, self.tool)))
            for path in self.sources:
                digest_path(digest, os.path.join(self.folder, path))
        else:
            digest_folder(digest, self.folder)

    def written(self, scratch):
        return self.dependencies if self.is_listed else [copied(self.folder, scratch)]

    def module_folder(self):
        """Where the project's own modules are, which it need not be installed for."""
        if not self.is_listed:
            return None
        source = os.path.join(self.folder, "src")
        return source if os.path.isdir(source) else self.folder


def digest_path(digest, path):
    if os.path.isdir(path):
        digest_folder(digest, path)
    elif os.path.isfile(path):
        digest(os.path.basename(path), read(path))


def digest_lock(digest, lock, project):
    text = text_of(lock)
    digest("uv.lock", text)
    digest("settings", repr((project.requires, project.tool, project.groups)))
    for path in re.findall(r'source = \{ (?:editable|directory|path|virtual) = "([^"]+)" \}', text):
        if path != ".":
            digest_path(digest, os.path.join(project.folder, path))


# Conda

def conda_parts(path):
    """The packages of environment.yml by conda, and those by pip."""
    by_conda, by_pip, section, nested = [], [], None, None
    for line in text_of(path).splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        if not line:
            continue
        top = re.match(r"([\w-]+):", line)
        if top:
            section, nested = top.group(1), None
            continue
        item = re.match(r"(\s*)-\s+(.*)$", line)
        if section != "dependencies" or not item:
            continue
        depth, word = len(item.group(1)), item.group(2).strip("'\" ")
        if word in ("pip:", "- pip:"):
            nested = depth
        elif nested is not None and depth > nested:
            by_pip.append(word)
        else:
            nested = None
            by_conda.append(word)
    return by_conda, by_pip


def conda_by_pip(path):
    """What pip can make of environment.yml: lines, where conda is asked for nothing but Python and pip."""
    by_conda, by_pip = conda_parts(path)
    others = [word for word in by_conda if not re.match(r"(python|pip)([ =<>!~]|$)", word)]
    if others:
        fail(69, "%s needs conda, mamba or micromamba, and none of them is here: pip has no %s\n"
             "submit: \"activate_python\" can load one, as in: module load miniforge" % (
                 os.path.basename(path), ", ".join(others[:6])))
    for word in by_conda:
        wanted = re.match(r"python *==? *([\d.]+)", word)
        if wanted and not (platform.python_version() + ".").startswith(wanted.group(1).rstrip(".") + "."):
            fail(69, "%s needs Python %s; without conda there is Python %s" % (
                os.path.basename(path), wanted.group(1), platform.python_version()))
    return by_pip


# Imports

def imports_below(code):
    """The modules that Python files import and that are neither theirs nor Python's own."""
    own, imported = set(), set()
    for path in files_below(code):
        stem, extension = os.path.splitext(os.path.basename(path))
        own.add(os.path.basename(os.path.dirname(path)))
        if extension != ".py":
            continue
        own.add(stem)
        try:
            tree = ast.parse(read(path))
        except (SyntaxError, ValueError) as error:
            sys.stderr.write("submit: the imports of %s are not looked at: %s\n" % (os.path.relpath(path, code), error))
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported.update(name.name.split(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    standard = getattr(sys, "stdlib_module_names", None) or standard_modules()
    return sorted(imported - own - set(standard) - {"__future__", "pip"})


def standard_modules():
    """Of Pythons before 3.10, which do not say."""
    import sysconfig
    names = set(sys.builtin_module_names)
    library = sysconfig.get_path("stdlib")
    for place in (library, os.path.join(library, "lib-dynload")):
        if os.path.isdir(place):
            names.update(name.split(".")[0] for name in os.listdir(place) if name != "site-packages")
    return names


def package_names(modules):
    from pipreqs import pipreqs
    return pipreqs.get_pkg_names(modules)


# Verbs

def unsuitable(requires):
    """Whether this Python is not one that a project runs with."""
    try:
        from pip._vendor.packaging.specifiers import InvalidSpecifier, SpecifierSet
    except ImportError:
        try:
            from packaging.specifiers import InvalidSpecifier, SpecifierSet
        except ImportError:
            # The installer will say so.
            return False
    try:
        return requires and not SpecifierSet(requires).contains(platform.python_version(), prereleases=True)
    except InvalidSpecifier:
        return False


def plan(kind, path, code):
    sha = hashlib.sha256()

    def digest(name, content):
        if not isinstance(content, bytes):
            content = content.encode("utf-8", "surrogatepass")
        sha.update(("%s %d\n" % (name, len(content))).encode("utf-8", "surrogateescape"))
        sha.update(content)

    digest("version", "%d %s" % (VERSION, kind))
    # What is built for one Python, or kind of machine, is nothing for another.
    digest("python", "%s %s %s %s" % (sys.version, sys.base_prefix, platform.system(), platform.machine()))
    lines = [("python", platform.python_version())]
    if kind == "requirements":
        requirements = Requirements(path)
        requirements.digest(digest)
        if requirements.modules:
            lines.append(("modules", ":".join(os.path.abspath(folder) for folder in requirements.modules)))
    elif kind in ("project", "lock"):
        project = Project(os.path.join(os.path.dirname(path), "pyproject.toml"))
        if unsuitable(project.requires):
            lines.append(("wants", project.requires))
        if kind == "lock":
            digest_lock(digest, path, project)
        else:
            project.digest(digest)
            lines.append(("sources", "yes" if project.tool.get("sources") else ""))
        modules = project.module_folder() or (kind == "lock" and project.folder)
        if modules:
            lines.append(("modules", os.path.abspath(modules)))
    elif kind == "conda":
        digest("environment.yml", read(path))
        for name in re.findall(r"^\s*-\s+-r\s*(\S+)", text_of(path), re.M):
            Requirements(os.path.join(os.path.dirname(path), name)).digest(digest)
    else:
        modules = imports_below(code)
        digest("imports", " ".join(modules))
        lines.append(("imports", " ".join(modules)))
    lines.append(("key", sha.hexdigest()[:12]))
    for line in lines:
        print("%s %s" % line)


def requirements(kind, path, scratch):
    if kind == "requirements":
        lines = Requirements(path).written(scratch)
    elif kind == "conda":
        lines = conda_by_pip(path)
    else:
        lines = Project(os.path.join(os.path.dirname(path), "pyproject.toml")).written(scratch)
    for line in lines:
        print(line)


def pip_settings():
    """Pip's settings as it reads them; it need not be there itself."""
    from configparser import Error, RawConfigParser
    home = os.path.expanduser("~")
    files = [place + "/pip/pip.conf" for place in (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")]
    files += ["/etc/pip.conf", home + "/.pip/pip.conf",
              (os.environ.get("XDG_CONFIG_HOME") or home + "/.config") + "/pip/pip.conf", sys.prefix + "/pip.conf"]
    own = os.environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        files = []
    elif own:
        files.append(own)
    sections = {"global": {}, "install": {}}
    for file in files:
        parser = RawConfigParser()
        try:
            parser.read(file)
        except (Error, UnicodeDecodeError, OSError):
            # For pip to complain about.
            continue
        for section, values in sections.items():
            if parser.has_section(section):
                values.update((name.replace("_", "-"), value) for name, value in parser.items(section))
    settings = dict(sections["global"], **sections["install"])
    for name, value in os.environ.items():
        if name.startswith("PIP_") and value:
            settings[name[4:].lower().replace("_", "-")] = value
    return settings


def uv_settings():
    """Where uv is to find packages, as pip's settings have it; nothing where uv has its own."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    own = [os.environ.get("UV_CONFIG_FILE"), home + "/uv/uv.toml", "/etc/uv/uv.toml"]
    if any(path and os.path.exists(path) for path in own) or any(
            name.startswith(("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX", "UV_FIND_LINKS", "UV_NO_INDEX"))
            for name in os.environ):
        return
    values = pip_settings()
    for name in ("no-binary", "only-binary", "prefer-binary", "client-cert", "build-constraint", "require-hashes"):
        if values.get(name) not in (None, "", "0", "false", "no"):
            sys.stderr.write("submit: pip and not uv installs: pip's setting %s is none of uv's\n" % name)
            sys.exit(3)
    is_set = values.get("no-index", "").lower() not in ("", "0", "false", "no", "off")
    for name, variable in (("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX"), ("find-links", "UV_FIND_LINKS"),
                           ("constraint", "UV_CONSTRAINT"), ("trusted-host", "UV_INSECURE_HOST"), ("cert", "SSL_CERT_FILE"),
                           ("proxy", "ALL_PROXY")):
        words = values.get(name, "").split()
        if words and not os.environ.get(variable):
            separator = "," if variable == "UV_FIND_LINKS" else " "
            print("export %s='%s'" % (variable, separator.join(words).replace("'", "'\\''")))
    if is_set:
        # There is no variable for it.
        print("uv_words=--no-index")


def main(verb, *words):
    if verb == "plan":
        plan(*words)
    elif verb == "requirements":
        requirements(*words)
    elif verb == "names":
        print("\n".join(package_names(imports_below(*words))))
    else:
        uv_settings()


main(*sys.argv[1:])
