#!/usr/bin/env bash
# Inside a bare Debian with systemd that ./dev fresh made: the package is installed with apt, serves
# as its unit has it, is upgraded while it serves and over a store of an earlier issue, comes back
# after a crash, and leaves the data when it is purged.
set -euo pipefail
old=$1 new=$2 fixture=$3 expected=$4
data=/var/lib/postern
config=/etc/postern/postern.toml
log=/var/log/postern-package.log

say() { printf 'fresh: package: %s\n' "$*"; }
die() {
    say "FAILED: $*"
    tail -n 40 "$log"
    journalctl --no-pager -n 40 -u postern
    exit 1
}

get() {
    exec 3<>/dev/tcp/127.0.0.1/8080 || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n' "$1" \
        "${2:+Authorization: Bearer $2$'\r'$'\n'}" >&3
    cat <&3
}
install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-confold "$@" >>"$log" 2>&1
}
main_process() { systemctl show --property MainPID --value postern; }
serves_isolated() {
    systemctl is-active --quiet postern || die "the unit is not active"
    get /readyz | grep -q '"isolation":"isolated"' || die "not isolated: $(get /readyz)"
}

# A bare root knows no packages but its own.
apt-get update -qq >"$log" 2>&1 || die "apt-get update"
say "installing $(basename "$old")"
install "$old" || die "apt could not install it"
grep -q 'postern init' "$log" || die "no advice after installing"
for role in front keeper courier reader; do
    id -u "postern-$role" >/dev/null || die "no user postern-$role"
done
[ "$(stat -c '%a %U' $data)" = "700 root" ] || die "$data is $(stat -c '%a %U' $data)"
postern check-config --config $config >>"$log" || die "the settings it comes with are refused"
postern --version

postern init --data $data --config $config >>"$log" 2>&1 || die "init"
[ "$(stat -c '%a %U' /etc/postern/root.key)" = "400 root" ] || die "the root key is readable"
systemctl enable --now postern >>"$log" 2>&1 || die "systemd could not start it"
serves_isolated
token=$(postern token create --data $data --workspace Brand --role owner) || die "no token"
get /v1/me "$token" | grep -q '"name":"Brand"' || die "the token does not open the API"
postern trust check --data $data >>"$log" 2>&1 || die "a claim does not hold"
say "serves as its unit has it, isolated; every claim holds"

say "upgrading to $(basename "$new") while it serves"
before=$(main_process)
echo 'log_level = "info" # a change of the operator' >>$config
install "$new" || die "apt could not upgrade it"
grep -q 'a change of the operator' $config || die "the operator's settings were overwritten"
serves_isolated
[ "$(main_process)" != "$before" ] || die "the old program still serves"
get /v1/me "$token" | grep -q '"name":"Brand"' || die "what was there is lost"
say "the new program serves, with what was there"

before=$(main_process)
kill -KILL "$before"
until [ "$(main_process)" != "$before" ] && systemctl is-active --quiet postern; do
    [ "$(systemctl is-failed postern)" != failed ] || die "systemd gave up"
    sleep 0.2
done
serves_isolated
say "systemd brought it back after a kill -9"

# As after a change that the new version does not take.
echo 'no_such_setting = 1' >>$config
install --reinstall "$new" || die "apt could not install it again"
grep -q 'journalctl -u postern says why' "$log" || die "nobody is told that it does not start"
sed -i '/no_such_setting/d' $config
systemctl reset-failed postern
say "apt says so when the new version does not start"

systemctl stop postern
rm -rf "$data" /etc/postern/root.key
mkdir -m 700 "$data"
cp -a "$fixture"/. "$data" || die "no fixture"
mv "$data/root.key" /etc/postern/root.key
chmod 400 /etc/postern/root.key
systemctl start postern || die "it does not start over the store of issue 2"
serves_isolated
token=$(sed -n 's/.*"Brand": "\([^"]*\)".*/\1/p' "$expected")
get /v1/threads "$token" | grep -q 'Winter collection' || die "the history is not readable"
[ -n "$(find $data -name '*before-*')" ] || die "no copy was made before the migration"
say "the history of issue 2 is readable after its migration, and a copy of before it is there"

apt-get remove -y -qq postern >>"$log" 2>&1 || die "remove"
! systemctl is-active --quiet postern || die "it serves after it was removed"
[ -e $config ] || die "removing deleted the settings"
apt-get purge -y -qq postern >>"$log" 2>&1 || die "purge"
[ -e $data/store/store.db ] && [ -e /etc/postern/root.key ] || die "purging deleted the data"
[ ! -e $config ] || die "purging left the settings"
grep -q "POSTERN_PURGE_DATA=$data" "$log" || die "purging does not say how to delete the data"
install "$new" || die "installing it again"
POSTERN_PURGE_DATA=$data apt-get purge -y -qq postern >>"$log" 2>&1 || die "purge by name"
[ ! -e $data ] && [ ! -e /etc/postern ] || die "purging by name left $data or /etc/postern"
say "good: installed, served, upgraded, purged"
