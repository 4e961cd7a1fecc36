# Completion of submit and cluster for bash, made by `cluster completion bash`. To have it in every shell:
#   cluster completion bash >~/.local/share/bash-completion/completions/cluster
#   ln -s cluster ~/.local/share/bash-completion/completions/submit
# or `source <(cluster completion bash)` in ~/.bashrc.

_cluster_tools() {
    local index word answer candidate prefix="" words=() joined=""
    # Bash takes `--name=value` for three words, and `a:b` too.
    for ((index = 1; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if [[ ${#words[@]} -gt 0 && ($word == [=:] || $joined == [=:]) ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        joined=$word
    done
    word=${words[${#words[@]} - 1]}
    # What stands before the last of these stays as it is.
    case $word in *[=:]*) prefix=${word%"${word##*[=:]}"} ;; esac
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=""

    COMPREPLY=()
    while IFS= read -r answer; do
        case $answer in
            :files) compopt -o default ;;
            ":command "*)
                if declare -F _command_offset >/dev/null; then
                    _command_offset "${answer#:command }"
                else
                    compopt -o default
                fi
                return
                ;;
            *)
                candidate=${answer%%$'\t'*}
                COMPREPLY+=("$(printf %q "${candidate#"$prefix"}")")
                ;;
        esac
    done < <(command cluster complete "${1##*/}" "${words[@]}" 2>/dev/null)
}
complete -F _cluster_tools submit cluster
