"""What projects say they need: requirement files and pyproject.toml."""
import os
import re

from files import copied, digest_folder, digest_path, fail, parse_toml, read, text_of, files_below


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
