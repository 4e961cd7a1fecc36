"""What defines a Python environment, for environment.sh:

    definition.py plan KIND FILE CODE           what it is made from, as lines `KEY VALUE`
    definition.py requirements KIND FILE SCRATCH  the same as lines for pip; folders to install from are copied to SCRATCH
    definition.py names CODE                    the packages that the imports need, a line each; wants pipreqs

KIND is requirements, project (pyproject.toml), lock (uv.lock), conda (environment.yml) or imports. Runs with Python 3.6 and later,
and what it says for a person goes to standard error. Status 65: it cannot be used, 69: by this Python it cannot.
"""
import ast
import hashlib
import os
import platform
import re
import sys

from files import digest_path, fail, files_below, read, text_of
from projects import Project, Requirements

# Another number where the same definition makes another environment than before.
VERSION = 1


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


def main(verb, *words):
    if verb == "plan":
        plan(*words)
    elif verb == "requirements":
        requirements(*words)
    else:
        print("\n".join(package_names(imports_below(*words))))


main(*sys.argv[1:])
