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
#                its programs have its path in them
#   .lock-KEY    whoever makes it: `owner` (machine, process, who), `beat`, `log`
#   .failed-KEY  the log of a build that failed, and `by` whom
# A finished environment says in .about what it is, and has its build's .log.
# The lock is a folder, since flock on network file systems is not for all nodes, or not there at all. Its owner writes `beat` every
# few seconds; one that does not change for two minutes, by the clock of whoever waits, belongs to somebody who is gone.
# Status 0: STATE is as it is to be; 65 to 78 (see sysexits): why not is on standard error.

code=$1 directory=$2 file=$3 pool=$4 state=$5 who=$6
tools=$(cd "$(dirname "$0")" && pwd) || exit 71
patience=${SUBMIT_ENVIRONMENT_PATIENCE:-120}
lock='' child='' uv_words=''

# Not what the user has installed for everything, nor what modules of the site add.
export PYTHONNOUSERSITE=1 PIP_USER=0
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX

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
        printf 'export PATH=%s/bin${PATH:+:$PATH}\nunset PYTHONHOME\nexport PYTHONNOUSERSITE=1\n' "$(quote "$place")"
        [ -z "$modules" ] || printf 'export PYTHONPATH=%s${PYTHONPATH:+:$PYTHONPATH}\n' "$(quote "$modules")"
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
    plan=$("$python" "$tools/environment.py" plan "$kind" "$file" "$code") || exit
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

# How it is made

make_venv() {
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --no-project --python "$python" "$1"
    else
        "$python" -m venv "$1" || { rm -rf "$1" && "$python" -m virtualenv "$1"; }
    fi
}

# install_into VENV WORD...: with pip's words.
install_into() {
    venv=$1
    shift
    if [ -n "$uv" ]; then
        # shellcheck disable=SC2086 # words
        "$uv" pip install $uv_words --python "$venv/bin/python" "$@"
    else
        "$venv/bin/python" -m pip install --disable-pip-version-check --no-input "$@"
    fi
}

# In the folder of the file: paths in it are relative to that.
install_requirements() {
    mkdir "$lock/scratch" && "$python" "$tools/environment.py" requirements "$kind" "$file" "$lock/scratch" >"$lock/requirements.txt" \
        && (cd "$(dirname "$file")" && install_into "$place" -r "$lock/requirements.txt")
}

install_project() {
    if [ -n "$uv" ] && [ -n "$sources" ]; then
        (cd "$(dirname "$file")" && install_into "$place" -r "$file")
    else
        [ -z "$sources" ] || say "without uv [tool.uv.sources] of pyproject.toml means nothing"
        install_requirements
    fi
}

# A lock is there to be kept, which uv alone can. Where packages can be had, uv can.
install_lock() {
    if [ -z "$uv" ]; then
        say "uv.lock needs uv, which is not here: fetching it"
        if ! "$python" -m venv "$lock/tools" || ! "$lock/tools/bin/python" -m pip install --disable-pip-version-check --quiet uv; then
            say "uv cannot be had: install it there, or have \"requirements\": \"pyproject.toml\" in the profile, which passes over the lock"
            return 1
        fi
        uv=$lock/tools/bin/uv
        prepare_uv
    fi
    (cd "$(dirname "$file")" && UV_PROJECT_ENVIRONMENT=$place "$uv" sync --frozen --no-install-project --no-editable \
        --python "$place/bin/python")
}

install_imports() {
    say "there is no requirements.txt, uv.lock, environment.yml or pyproject.toml; the imports are: $imports"
    finder=$python
    if ! "$python" -c 'import pipreqs' 2>/dev/null; then
        # Later versions bring half of Jupyter.
        finder=$lock/tools/bin/python
        make_venv "$lock/tools" && install_into "$lock/tools" -q 'pipreqs<0.5' || return
    fi
    "$finder" "$tools/environment.py" names "$code" >"$place/.requirements.txt" || return
    say "by pipreqs these are the packages: $(tr '\n' ' ' <"$place/.requirements.txt")(a requirements.txt would say which versions)"
    install_into "$place" -r "$place/.requirements.txt"
}

make_conda() {
    export CONDA_ALWAYS_YES=true MAMBA_ALWAYS_YES=true
    cd "$(dirname "$file")" || return
    for each in "${MAMBA_EXE:-micromamba}" micromamba mamba "${CONDA_EXE:-conda}" conda; do
        have "$each" || continue
        maker=${each##*/}
        case $maker in
            micromamba) "$each" create --yes -p "$place" -f "$file" ;;
            *) "$each" env create -p "$place" -f "$file" ;;
        esac
        return
    done
    [ -n "$python" ] || {
        say "$name needs conda, mamba or micromamba, and none of them is here; \"activate_python\" can load one"
        return 69
    }
    "$python" "$tools/environment.py" requirements conda "$file" "$lock" >/dev/null && make_venv "$place" && install_requirements
}

# prepare_uv: where it finds packages, and whether it can be used at all.
prepare_uv() {
    settings=$("$python" "$tools/environment.py" uv)
    case $? in
        0) eval "$settings" ;;
        3) [ "$kind" = lock ] || uv= ;;
    esac
}

# describe: what is known before it is made, as lines of .about.
describe() { printf 'kind %s\nfile %s\nproject %s\n' "$kind" "$name" "$(basename "$(dirname "${state%/*}")")"; }

build() {
    umask "$mask"
    rm -rf "$pool/.removing-$key"-*
    began=$(date +%s)
    maker=pip
    [ -z "$uv" ] || prepare_uv
    [ -z "$uv" ] || maker=uv
    if [ "$kind" = conda ]; then
        make_conda
    else
        make_venv "$place" && "install_$kind"
    fi || return
    set -- "$place"/conda-meta/*.json
    [ -e "$1" ] || set -- "$place"/lib/python*/site-packages/*.dist-info
    packages=$#
    [ -e "$1" ] || packages=0
    {
        describe
        printf 'python %s\n' "$({ "$place/bin/python" -c 'import platform; print(platform.python_version())'; } 2>/dev/null)"
        printf 'packages %s\nmaker %s\nmachine %s\nby %s\n' "$packages" "$maker" "$(uname -n)" "$who"
        printf 'seconds %s\nmade %s\nkilobytes %s\n' "$(($(date +%s) - began))" "$began" "$(du -sk "$place" | { read -r size _; echo "$size"; })"
    } >"$place/.about"
}

# One at a time

# This machine since it was started, as a word.
machine() { printf '%s/%s' "$(uname -n)" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"; }

# own: says that the lock is ours.
own() {
    printf '%s %s %s\n' "$(machine)" "$$" "$who" >"$lock/owner.$$" && mv -f "$lock/owner.$$" "$lock/owner" \
        || fail 74 "$lock cannot be written"
}

# owner_of LOCK: a lock that is only just made, or only just gone, says none; one whose owner died at once neither.
nobody='? ? somebody'
owner_of() { cat "$1/owner" 2>/dev/null || echo "$nobody"; }

# is_gone: whether the owner of the lock that we wait for, in `owner`, has died.
is_gone() {
    set -- $owner
    [ "$1" != "$(machine)" ] || kill -0 "$2" 2>/dev/null || return 0
    now=$(cat "$waited/beat" 2>/dev/null)
    if [ "$now" != "$beat" ]; then
        beat=$now
        silent=0
    fi
    silent=$((silent + 1))
    [ "$silent" -gt "$patience" ]
}

# take_over: makes the lock of somebody who is gone ours. Of many who try, one does: whoever makes the folder in it. It may have been
# made ours by another meanwhile.
take_over() {
    if ! mkdir "$waited/heir" 2>/dev/null; then
        # An heir that died is nobody's hindrance either.
        silent=$((silent - 30))
        [ -z "$(find "$waited/heir" -prune -mmin +2 2>/dev/null)" ] || rmdir "$waited/heir" 2>/dev/null
        return 1
    fi
    if [ "$(owner_of "$waited")" != "$owner" ]; then
        rmdir "$waited/heir"
        return 1
    fi
    say "$title was being made by ${owner#* * }, which is gone; beginning anew"
    lock=$waited
    own
    rm -rf "$lock/heir" "$lock/scratch" "$lock/tools" "$lock/log" "$lock/status"
}

failure() { cat "$pool/.failed-$key/by" 2>/dev/null; }

# obtain: returns when the environment is there (1), or when it is ours to make (0).
obtain() {
    waited=$pool/.lock-$key
    title="the environment $key ($name)"
    before=$(failure) owner='' beat='' silent=0 told=''
    while :; do
        [ ! -e "$place/.complete" ] || return 1
        if [ "$(failure)" != "$before" ]; then
            say "$title could not be made by ${owner#* * }; the end of its log:"
            tail -n 20 "$pool/.failed-$key/log" >&2
            fail 69 "no environment; the whole log: $pool/.failed-$key/log"
        fi
        if mkdir "$waited" 2>/dev/null; then
            lock=$waited
            own
            # It may have been made since we looked.
            [ ! -e "$place/.complete" ] || { release; return 1; }
            return 0
        fi
        if [ ! -d "$waited" ]; then
            out=$(mkdir -p "$pool" 2>&1 && mkdir "$waited" 2>&1 && rmdir "$waited") || [ -d "$waited" ] \
                || fail 73 "cannot make the folder for environments: $out"
            continue
        fi
        now=$(owner_of "$waited")
        [ "$now" = "$owner" ] || silent=0
        owner=$now
        if [ "$told" != "$owner" ] && [ "$owner" != "$nobody" ]; then
            told=$owner
            say "waiting for $title, which ${owner#* * } makes"
        fi
        if is_gone && take_over; then return 0; fi
        sleep 1
    done
}

release() {
    [ -z "$lock" ] || rm -rf "$lock"
    lock=''
}

# descendants PID: a process and all that it has started.
descendants() {
    { ps -A -o pid= -o ppid= 2>/dev/null || ps -o pid,ppid; } | awk -v root="$1" '
        { parent[$1] = $2 }
        END {
            wanted[root]
            do { more = 0; for (pid in parent) if (!(pid in wanted) && parent[pid] in wanted) { wanted[pid]; more = 1 } } while (more)
            for (pid in wanted) print pid
        }'
}

# leave: nothing half-made is left under its name, whatever ends us.
leave() {
    status=$?
    trap '' HUP INT TERM
    trap - EXIT
    if [ -n "$child" ]; then
        for each in $(descendants "$child"); do kill -s TERM "$each" 2>/dev/null; done
        wait "$child" 2>/dev/null
    fi
    if [ -n "$lock" ]; then
        scrap=$pool/.removing-$key-$$
        [ ! -e "$place" ] || mv "$place" "$scrap"
        mv "$lock" "$scrap-lock"
        rm -rf "$scrap" "$scrap-lock"
    fi
    exit "$status"
}

# show: what the build has said since the last time.
show() {
    tail -c "+$((shown + 1))" "$lock/log" >"$lock/new" 2>/dev/null
    cat "$lock/new" >&2
    shown=$((shown + $(wc -c <"$lock/new")))
}

make() {
    say "making $title"
    # What one that was killed has left may take a while to remove.
    [ ! -e "$place" ] || mv "$place" "$pool/.removing-$key-$$" || exit 73
    (build) </dev/null >"$lock/log" 2>&1 &
    child=$!
    shown=0 beats=0
    while kill -0 "$child" 2>/dev/null; do
        sleep 1
        show
        beats=$((beats + 1))
        [ $((beats % 3)) -ne 0 ] || printf '%s\n' "$beats" >"$lock/beat"
        read -r _ mine _ <"$lock/owner" 2>/dev/null
        if [ "$mine" != "$$" ]; then
            # Suspended for long, we were taken for dead. What is there now is another's.
            lock=''
            fail 75 "another has begun to make $title meanwhile"
        fi
    done
    wait "$child"
    made=$?
    child=''
    show
    if [ "$made" -ne 0 ]; then
        mkdir -p "$pool/.failed-$key" && describe >"$pool/.failed-$key/.about" && mv -f "$lock/log" "$pool/.failed-$key/log" \
            && printf '%s, %s\n' "$who" "$(date +%s)" >"$pool/.failed-$key/by.$$" && mv -f "$pool/.failed-$key/by.$$" "$pool/.failed-$key/by"
        fail 69 "$title could not be made; the whole log: $pool/.failed-$key/log"
    fi
    mv -f "$lock/log" "$place/.log"
    : >"$place/.complete"
    rm -rf "$pool/.failed-$key"
    release
    say "made $title"
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
