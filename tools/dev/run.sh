# ./dev run: an embedded store below the state directory, set up on first use, in the foreground.

state_dir() { printf '%s/%s' "${XDG_STATE_HOME:-$HOME/.local/state}" "$1"; }

has_listen() {
    local argument
    for argument in "$@"; do
        case $argument in --listen | --listen=*) return 0 ;; esac
    done
    return 1
}

# Without a store there: makes one, which prints the set-up link and the recovery kit.
init_once() {
    local dir=$1
    [ ! -e "$dir/root.key" ] || return 0
    mkdir -p "$(dirname "$dir")"
    "$postern" init --data "$dir"
}

command_run() {
    local demo=no postern=${POSTERN_BIN:-$root/build/release/postern}
    if [ "${1:-}" = --demo ]; then
        demo=yes
        shift
    fi
    ensure_packages build run
    build_preset release || die "the build failed"
    has_listen "$@" || set -- --listen 127.0.0.1:8080 "$@"
    if [ "$demo" = yes ]; then
        ensure_packages lab
        exec env POSTERN_BIN="$postern" "$python" "$root/tools/dev/run_demo.py" \
            --data "$(state_dir postern-demo)" "$@"
    fi
    local dir
    dir=$(state_dir postern)
    init_once "$dir" || die "the store could not be set up in $dir"
    say "data: $dir"
    say "root key: $dir/root.key. It lies beside the data only because this is ./dev run: whoever"
    say "copies this folder has both. A real server keeps it elsewhere (docs/threat-model.md)."
    exec "$postern" serve --data "$dir" "$@"
}
