"""Where uv is to find packages, as pip's settings have it, in shell lines; none where uv has settings of its own.

Status 3: pip is to install, since it has a setting that uv has not.
"""
import os
import sys


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


def main():
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


main()
