# What every command of ./dev shares. Sourced with $root set and the shell in strict mode.

# Debian's own: the one that its python3-* packages are for.
python=/usr/bin/python3

say() { printf '%s\n' "$*" >&2; }
die() { say "dev: $*"; exit 1; }

seconds_now() { printf '%s' "${EPOCHREALTIME/,/.}"; }
seconds_since() { awk -v a="$1" -v b="$(seconds_now)" 'BEGIN { printf "%.1f", b - a }'; }

# timed WHAT COMMAND...: says what it does and how long it took.
timed() {
    local what=$1 started status=0
    shift
    started=$(seconds_now)
    say "-> $what"
    "$@" || status=$?
    if [ "$status" -eq 0 ]; then
        say "   $what: $(seconds_since "$started") s"
    else
        say "   $what: failed ($status) after $(seconds_since "$started") s"
    fi
    return "$status"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@" || die "needs root: run it as root, or let sudo work without a question"
    else
        die "needs root for: $*"
    fi
}
