# Format and static analysis, by the same versions everywhere.

command_tidy() {
    ensure_packages build test
    configure_preset tidy || die "configuring failed"
    exec "$python" "$root/tools/dev/tidy.py" "$@"
}
