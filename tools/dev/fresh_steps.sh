#!/usr/bin/env bash
# Runs inside the bare root that ./dev fresh made, as its root user.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
what=$1
url=http://127.0.0.1:8080/healthz
log=/var/log/postern-run.log

answers() {
    exec 3<>/dev/tcp/127.0.0.1/8080 || return 1
    printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    head -n 1 <&3 | grep -q ' 200 '
}

# ./dev run until /healthz answers; then it must end on SIGTERM.
try_run() {
    ./dev run >"$log" 2>&1 &
    local pid=$! waited=0
    until (answers) 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null || { cat "$log"; return 1; }
        [ "$waited" -lt 1800 ] || { cat "$log"; return 1; }
        sleep 1
        waited=$((waited + 1))
    done
    echo "fresh: $url answers after about $waited s; ./dev run said:"
    cat "$log"
    grep -Eq 'https?://[^ ]*/setup' "$log" || { echo "no set-up link"; return 1; }
    kill -TERM "$pid"
    wait "$pid" || echo "fresh: ./dev run ended with $?"
}

if ss -ltn 2>/dev/null | grep -q '127.0.0.1:8080 '; then echo "port 8080 is taken"; exit 1; fi
case $what in build) ./dev build ;; esac
case $what in run | all) try_run ;; esac
case $what in test | all) ./dev test ;; esac
