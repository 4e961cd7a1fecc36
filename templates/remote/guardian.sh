# Ends a command when whoever wanted it has gone: nothing else would, as long as it neither reads nor writes. Set before: ct_guarded, the
# file with the number of its process, which leads the group of the login.
ct_guard() {
    cat >/dev/null
    ct_read "$ct_guarded" || return 0
    rm -f "$ct_guarded"
    kill -TERM "-$ct_value" 2>/dev/null || kill -TERM "$ct_value" 2>/dev/null
}
ct_guard
