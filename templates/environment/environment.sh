#!/bin/sh
# Finds or makes the Python environment that a project needs: one for each content, shared by jobs.
#   environment.sh CODE DIRECTORY FILE POOL STATE WHO
#     CODE       the snapshot
#     DIRECTORY  the folder in it that the command runs in; empty for its top
#     FILE       what the environment is made from, as a path in the snapshot; empty: found, see find_definition
#     POOL       the folder for environments
#     STATE      the folder of the run's state files: `environment` gets the environment's path, `activate` the shell lines that
#                activate it. Neither is there where none is needed
#     WHO        what others who wait for it are told
# What is made on one machine is used by others. In POOL:
#   KEY          an environment: whole when it has the file .complete, which is as old as its last use. It is made where it stays:
#                its programs have its path in them. It says in .about what it is, and has its build's .log
#   .lock-KEY, .failed-KEY  one that is being made, one that could not be: see lock.sh
# Status 0: STATE is as it is to be; 65 to 78 (see sysexits): why not is on standard error.

code=$1 directory=$2 file=$3 pool=$4 state=$5 who=$6
tools=$(cd "$(dirname "$0")" && pwd) || exit 71

# Not what the user has installed for everything, nor what modules of the site add.
export PYTHONNOUSERSITE=1 PIP_USER=0
unset PYTHONPATH PYTHONHOME PYTHONSAFEPATH PIP_TARGET PIP_PREFIX

. "$tools/build.sh"
. "$tools/lock.sh"

say() { printf 'submit: %s\n' "$1" >&2; }
fail() {
    say "$2"
    exit "$1"
}
have() { command -v "$1" >/dev/null 2>&1; }
quote() { printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

# put NAME: writes standard input to a state file, whole or not at all; others may do the same.
put() {
    new=$state/.$1.$(uname -n).$$
    cat >"$new" && mv -f "$new" "$state/$1"
}

# Uses

# use: this run has the environment in `place`.
use() {
    touch "$place/.complete"
    {
        if [ -d "$place/conda-meta" ]; then
            printf 'export CONDA_PREFIX=%s\n' "$(quote "$place")"
        else
            printf 'export VIRTUAL_ENV=%s\n' "$(quote "$place")"
        fi
        # Not every shell takes the value of an `export` as one word.
        printf 'PATH=%s/bin"${PATH:+:$PATH}"\nexport PATH PYTHONNOUSERSITE=1\nunset PYTHONHOME\n' "$(quote "$place")"
        [ -z "$modules" ] || printf 'PYTHONPATH=%s"${PYTHONPATH:+:$PYTHONPATH}"\nexport PYTHONPATH\n' "$(quote "$modules")"
        for each in "$place"/etc/conda/activate.d/*.sh; do
            [ ! -f "$each" ] || printf '. %s\n' "$(quote "$each")"
        done
    } | put activate || fail 74 "the state of the run cannot be written in $state"
}

# What an earlier start of the job, another task of its array, or the access node has found, where it works here.
is_found() {
    [ -f "$state/activate" ] && IFS= read -r place <"$state/environment" && [ -e "$place/.complete" ] || return 1
    [ ! -e "$place/bin/python" ] || "$place/bin/python" -c '' 2>/dev/null || return 1
    touch "$place/.complete"
}

# What it is made from

# find_definition: sets `kind`, and `file` to its path. Of the folder that the command runs in and those above it, the first that has one.
find_definition() {
    if [ -n "$file" ]; then
        name=${file##*/}
        file=$code/$file
        if [ ! -f "$file" ]; then
            say "no environment: $file is not in the snapshot"
            exit 0
        fi
    else
        folder=$code${directory:+/$directory}
        until find_in "$folder"; do
            if [ "$folder" = "$code" ]; then
                kind=imports file=$code name=imports
                return
            fi
            folder=${folder%/*}
        done
        file=$folder/$name
    fi
    case $name in
        uv.lock) kind=lock ;;
        *.yml | *.yaml) kind=conda ;;
        *.toml) kind=project ;;
        *) kind=requirements ;;
    esac
}

find_in() {
    for name in uv.lock requirements.txt environment.yml environment.yaml pyproject.toml; do
        [ -f "$1/$name" ] || continue
        case $name in
            uv.lock) [ -f "$1/pyproject.toml" ] || continue ;;
            # Many have it for the settings of tools alone.
            pyproject.toml) grep -Eq '^\[(project|build-system|tool\.poetry)\]' "$1/$name" || continue ;;
        esac
        return 0
    done
    return 1
}

# find_python: the Python that it is for, in `python`: that of the PATH, or the one that uv has for .python-version.
find_python() {
    uv=$(command -v uv) || { uv=$HOME/.local/bin/uv && [ -x "$uv" ]; } || uv=
    python=
    for each in python3 python; do
        "$each" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null && python=$(command -v "$each") && break
    done
    wanted=$(sed -n '1s/[[:space:]]*$//p' "$(dirname "$file")/.python-version" 2>/dev/null)
    if [ -n "$wanted" ] && ! is_version "$wanted"; then
        if [ -n "$uv" ]; then
            find_python_by_uv "$wanted"
        else
            say "warning: .python-version wants $wanted; \"activate_python\" can load it, or uv get it"
        fi
    fi
    [ -n "$python" ] || [ -z "$uv" ] || python=$("$uv" python find --no-project 2>/dev/null)
}

# is_version VERSION: whether it is the one that we have.
is_version() {
    [ -n "$python" ] || return
    "$python" -c 'import platform, sys; sys.exit(not (platform.python_version() + ".").startswith(sys.argv[1] + "."))' "$1"
}

find_python_by_uv() {
    python=$("$uv" python find --no-project "$1" 2>/dev/null) && return
    say "fetching Python $1"
    "$uv" python install "$1" >&2 && python=$("$uv" python find --no-project "$1") \
        || fail 69 "$name needs Python $1, which is not here, and uv cannot get it"
}

read_plan() {
    plan=$("$python" -B "$tools/definition.py" plan "$kind" "$file" "$code") || exit
    imports='' sources='' modules='' wants=''
    while read -r word value; do
        case $word in
            key) key=$value ;;
            python) version=$value ;;
            imports) imports=$value ;;
            sources) sources=$value ;;
            modules) modules=$value ;;
            wants) wants=$value ;;
        esac
    done <<END
$plan
END
}

# make_plan: sets `key` and what the build needs to know.
make_plan() {
    find_python
    if [ -n "$python" ]; then
        read_plan
        if [ -n "$wants" ]; then
            [ -n "$uv" ] || fail 69 "$name needs Python $wants, and this is $version: \"activate_python\" can load another"
            find_python_by_uv "$wants"
            read_plan
        fi
    elif [ "$kind" = conda ]; then
        # It brings its own.
        version='' modules=''
        key=$({ uname -sm && cat "$file"; } | cksum | tr -d ' ')
    else
        fail 69 "there is no Python 3.6 or later for the environment of $name; \"activate_python\" can load one"
    fi
}

mask=$(umask)
umask 077
modules=''
is_found && exit 0
rm -f "$state/activate"
find_definition
make_plan
[ "$kind" != imports ] || [ -n "$imports" ] || exit 0
place=$pool/$key
# From now on nobody removes it.
printf '%s\n' "$place" | put environment || fail 74 "the state of the run cannot be written in $state"
trap leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP
if obtain; then make; fi
use
