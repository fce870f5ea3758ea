# ./dev soak faults [OPTIONS]: the long tests, which can be stopped and go on where they were.

command_soak() {
    local what=${1:-}
    [ $# -eq 0 ] || shift
    [ "$what" = faults ] || die "./dev soak faults [--seed S] [--limit N | --minutes M] [--report]"
    ensure_packages build lab
    build_preset dev all soak_parts || die "the build failed"
    export POSTERN_BIN="${POSTERN_BIN:-$root/build/dev/postern}"
    exec "$python" "$root/tests/soak/sweep.py" "$@"
}
