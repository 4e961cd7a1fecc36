# Says what a job will find here. Set before: ct_root() (see prelude.sh), ct_activation (the profile's shell lines, and after them
# what says how it went), ct_test() (calls scheduler_test with sbatch's options).

# Whether a file can be made where runs go: permissions, quotas and full disks all show there.
ct_check_folder() {
    if ! ct_base=$(ct_root 2>&1); then
        ct_lines folder-problem "$ct_base"
        return
    fi
    ct_nearest_to_base
    ct_file=$ct_place/.cluster-tools-check-$$
    if ct_out=$( (umask 077 && echo check >"$ct_file" && [ -s "$ct_file" ]) 2>&1); then
        ct_say folder "$ct_base"
    else
        ct_say folder-problem "$ct_base: $(printf '%s\n' "${ct_out:-nothing can be written}" | sed 's/^.*: //' | head -n 1)"
    fi
    rm -f "$ct_file"
}

# Python and TensorBoard as a job has them: in a login shell, after the activation.
ct_check_python() {
    ct_shell=$(command -v bash || echo /bin/sh)
    ct_out=$(cd / && CT_TAG=$ct_tag "$ct_shell" -l -c "$ct_activation" 2>&1 </dev/null | tail -n 40)
    printf '%s\n' "$ct_out" | while IFS= read -r ct_line; do
        case $ct_line in
            "$ct_tag "*) ct_say "${ct_line#"$ct_tag "}" "" ;;
            ?*) ct_say activation-output "$ct_line" ;;
        esac
    done
}

# What `cluster add` proposes: folders for runs, and virtual environments.
ct_check_places() {
    for ct_name in SCRATCH WORK; do
        eval "ct_value=\${$ct_name:-}"
        [ -n "$ct_value" ] && [ -w "$ct_value" ] && ct_say scratch "\$$ct_name"
    done
    for ct_value in "/scratch/$(id -un)" "/work/$(id -un)"; do
        [ -w "$ct_value" ] && ct_say scratch "$ct_value"
    done
    for ct_name in env venv .venv ENV; do
        [ -r "$HOME/$ct_name/bin/activate" ] && ct_say activate "$ct_name/bin/activate"
    done
}

ct_check() {
    ct_login
    ct_say host "$(uname -n)"
    ct_say system "$(uname -sm)"
    ct_say user "$(id -un)"
    ct_say shell "${SHELL:-}"
    for ct_name in tar gzip bash setsid perl python3 srun; do
        ! ct_have "$ct_name" || ct_say have "$ct_name"
    done
    ct_check_folder
    ct_check_python
    ct_check_places
    scheduler_check
    ct_test
    ct_say done checked
}
ct_check
