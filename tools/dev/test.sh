# Tests, benchmarks and the story: the longer parts are Python beside this file.

command_test() {
    ensure_packages build test lab
    exec "$python" "$root/tools/dev/suites.py" "$@"
}

command_bench() {
    [ -f "$root/bench/run.py" ] || die "bench/run.py is not there yet"
    ensure_packages build lab bench
    build_preset bench || die "the build failed"
    exec env POSTERN_BIN="$root/build/bench/postern" "$python" "$root/bench/run.py" "$@"
}

command_demo() {
    ensure_packages build lab
    build_preset release || die "the build failed"
    exec env POSTERN_BIN="$root/build/release/postern" "$python" "$root/tools/dev/demo.py" "$@"
}
