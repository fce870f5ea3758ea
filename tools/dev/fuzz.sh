# ./dev fuzz TARGET SECONDS: TARGET is a file src/**/TARGET_fuzz.cpp.

command_fuzz() {
    ensure_packages build test
    exec "$python" "$root/tools/dev/fuzz.py" "$@"
}
