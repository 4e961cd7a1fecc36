#compdef submit cluster
# Completion of submit and cluster for zsh, made by `cluster completion zsh`. To have it in every shell, put it in a folder
# of $fpath as _cluster, or `source <(cluster completion zsh)` in ~/.zshrc after compinit.

_cluster_tools() {
    local answer candidate meaning
    local -a candidates answers
    answers=("${(@f)$(command cluster complete "${words[1]:t}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for answer in "${answers[@]}"; do
        case $answer in
            '') ;;
            :files) _files ;;
            ':command '*)
                integer offset=${answer#:command }
                words=("${(@)words[offset + 1,-1]}")
                ((CURRENT -= offset))
                _normal
                return
                ;;
            *)
                candidate=${answer%%$'\t'*}
                meaning=${answer#*$'\t'}
                candidates+=("${candidate//:/\\:}:${meaning}")
                ;;
        esac
    done
    if ((${#candidates})); then _describe -V -t cluster-tools 'what can come next' candidates; fi
}

if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _cluster_tools "$@"
else
    compdef _cluster_tools submit cluster
fi
