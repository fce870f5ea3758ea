#!/usr/bin/env bash
# Inside the bare root that ./dev fresh made: the package is installed with apt, serves as its unit
# would, is upgraded over a store of an earlier issue, and leaves the data when it is purged.
set -euo pipefail
old=$1 new=$2 project=$3
data=/var/lib/postern
config=/etc/postern/postern.toml
log=/var/log/postern-package.log
fixture=$project/tests/data/stores/issue-2

say() { printf 'fresh: package: %s\n' "$*"; }
die() { say "FAILED: $*"; [ ! -e "$log" ] || tail -n 40 "$log"; exit 1; }

get() {
    exec 3<>/dev/tcp/127.0.0.1/8080 || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n' "$1" \
        "${2:+Authorization: Bearer $2$'\r'$'\n'}" >&3
    cat <&3
}

# As the unit: its command, its capabilities, no environment. systemd itself does not run here.
start() {
    local unit=/usr/lib/systemd/system/postern.service command bounding
    command=$(sed -n 's/^ExecStart=//p' "$unit")
    bounding=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr 'A-Z ' 'a-z,' |
        sed -e 's/cap_/+/g')
    # shellcheck disable=SC2086
    env -i setpriv --no-new-privs --inh-caps=-all --bounding-set="-all,$bounding" -- $command \
        >>"$log" 2>&1 &
    server=$!
    local waited=0
    until (get /readyz | head -n 1 | grep -q ' 200 ') 2>/dev/null; do
        kill -0 "$server" 2>/dev/null || die "the server ended"
        [ "$waited" -lt 60 ] || die "the server does not answer"
        sleep 1
        waited=$((waited + 1))
    done
}

stop() {
    kill -TERM "$server"
    wait "$server" || die "the server ended with $?"
}

install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; }

say "installing $(basename "$old") in a bare root"
install "$old" >"$log" 2>&1 || die "apt could not install it"
grep -q 'postern init' "$log" || die "no advice after installing"
for role in front keeper courier reader; do
    id -u "postern-$role" >/dev/null || die "no user postern-$role"
done
[ "$(stat -c '%a %U' $data)" = "700 root" ] || die "$data is $(stat -c '%a %U' $data)"
postern check-config --config $config >>"$log" || die "the settings it comes with are refused"
postern --version

postern init --data $data --config $config >>"$log" 2>&1 || die "init"
[ "$(stat -c '%a %U' /etc/postern/root.key)" = "400 root" ] || die "the root key is readable"
start
get /readyz | grep -q '"isolation":"isolated"' || die "not isolated: $(get /readyz)"
get /healthz | head -n 1 | grep -q ' 200 ' || die "/healthz"
say "serves, isolated, with its unit's capabilities"
stop

say "upgrading to $(basename "$new"), over the store of issue 2"
rm -rf "$data" /etc/postern/root.key
mkdir -m 700 "$data"
cp -a /srv/fixture/. "$data" || die "no fixture"
mv "$data/root.key" /etc/postern/root.key
chmod 400 /etc/postern/root.key
echo 'log_level = "info" # a change of the operator' >>$config
install "$new" >>"$log" 2>&1 || die "apt could not upgrade it"
grep -q 'a change of the operator' $config || die "the operator's settings were overwritten"
start
token=$(sed -n 's/.*"Brand": "\([^"]*\)".*/\1/p' "$fixture/expected.json")
get /v1/threads "$token" | grep -q 'Winter collection' || die "the history is not readable"
stop
postern receipt verify --help >/dev/null
say "the history of issue 2 is readable after the upgrade"

apt-get remove -y -qq postern >>"$log" 2>&1 || die "remove"
[ -e $config ] || die "removing deleted the settings"
apt-get purge -y -qq postern >>"$log" 2>&1 || die "purge"
[ -e $data/store/store.db ] && [ -e /etc/postern/root.key ] || die "purging deleted the data"
[ ! -e $config ] || die "purging left the settings"
grep -q "POSTERN_PURGE_DATA=$data" "$log" || die "purging does not say how to delete the data"
install "$new" >>"$log" 2>&1 || die "installing it again"
POSTERN_PURGE_DATA=$data apt-get purge -y -qq postern >>"$log" 2>&1 || die "purge by name"
[ ! -e $data ] && [ ! -e /etc/postern ] || die "purging by name left $data or /etc/postern"
say "good: installed, served, upgraded, purged"
