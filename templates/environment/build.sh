# How an environment is made: by environment.sh, in a process of its own. Set before, besides what that sets: place, lock.

uv_words=''

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
    mkdir "$lock/scratch" && "$python" -B "$tools/definition.py" requirements "$kind" "$file" "$lock/scratch" >"$lock/requirements.txt" \
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
    "$finder" -B "$tools/definition.py" names "$code" >"$place/.requirements.txt" || return
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
    "$python" -B "$tools/definition.py" requirements conda "$file" "$lock" >/dev/null && make_venv "$place" && install_requirements
}

# prepare_uv: where it finds packages, and whether it can be used at all.
prepare_uv() {
    settings=$("$python" -B "$tools/uv_settings.py")
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
