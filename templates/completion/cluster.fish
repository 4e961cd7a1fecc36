# Completion of submit and cluster for fish, made by `cluster completion fish`. To have it in every shell:
#   cluster completion fish >~/.config/fish/completions/cluster.fish
#   ln -s cluster.fish ~/.config/fish/completions/submit.fish

function __cluster_tools_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for answer in (command cluster complete (path basename -- $words[1]) $words[2..-1] "$current" 2>/dev/null)
        switch $answer
            case :files
                __fish_complete_path "$current"
            case ':command *'
                set -l offset (string replace ':command ' '' -- $answer)
                complete -C (string join ' ' -- (string escape -- $words[(math $offset + 1)..-1]) $current)
            case '*'
                printf '%s\n' $answer
        end
    end
end

complete -c submit -f -a '(__cluster_tools_complete)'
complete -c cluster -f -a '(__cluster_tools_complete)'
