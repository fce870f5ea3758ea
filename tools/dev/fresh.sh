# ./dev fresh: a bare Debian 12 root, a clone of HEAD in it, and the two commands of the README.
# Everything in the root runs in a process namespace of its own and so ends with it.

fresh_sources() {
    # The host's own mirror configuration, so that this works where only that one is reached.
    local file=/etc/apt/sources.list.d/debian.sources
    [ -f "$file" ] || file=/etc/apt/sources.list
    if [ -s "$file" ]; then printf '%s\n' "$file"; fi
}

# Whom this machine trusts, so that npm works where a proxy on the way has a certificate of its own.
fresh_trust() {
    local file=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
    [ ! -s "$file" ] || as_root install -D -m 644 "$file" "$1$fresh_certificates"
}

# fresh_make_root ROOT [PACKAGE,...]: the least Debian there is, and these.
fresh_make_root() {
    local target=$1
    local -a sources options
    mapfile -t sources < <(fresh_sources)
    mapfile -t options < <(
        apt-config dump | sed -n 's/^\(Acquire::[a-z]*::Proxy.*\);$/--aptopt=\1/p'
    )
    as_root mmdebstrap --quiet --variant=minbase ${2:+"--include=$2"} "${options[@]}" \
        bookworm "$target" "${sources[@]}" || return 1
    as_root cp --remove-destination "$(readlink -f /etc/resolv.conf)" "$target/etc/resolv.conf"
    fresh_trust "$target"
    as_root git -c safe.directory='*' clone --quiet --no-hardlinks "$root" "$target/srv/postern"
}

# In the namespaces that the caller made, with /proc, /dev and /sys, behind a root of its own.
fresh_enter() {
    local target=$1
    mount --make-rprivate /
    mount --bind "$target" "$target"
    mount -t proc proc "$target/proc"
    mount --rbind /dev "$target/dev"
    mount --rbind /sys "$target/sys"
    mount -t tmpfs tmpfs "$target/dev/shm"
}
fresh_certificates=/etc/ssl/host-certificates.crt
fresh_environment=(
    env -i HOME=/root LANG=C.UTF-8 NODE_EXTRA_CA_CERTS="$fresh_certificates"
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
)
fresh_namespaces=(unshare --mount --pid --ipc --uts --fork --kill-child)

# fresh_inside ROOT COMMAND...: in namespaces that end with the command.
fresh_inside() {
    as_root "${fresh_namespaces[@]}" bash -c "
        set -e
        $(declare -f fresh_enter)
        fresh_enter \"\$1\"
        exec chroot \"\$@\"" fresh "$1" "${fresh_environment[@]}" "${@:2}"
}

# fresh_booted ROOT COMMAND...: the same with systemd as first process; it ends with the command.
fresh_booted() {
    local target=$1 status=0 outside tries=0
    as_root "${fresh_namespaces[@]}" --cgroup bash -c "
        set -e
        # Its number outside: this /proc is still the host's.
        read -r init _ </proc/self/stat
        $(declare -f fresh_enter)
        fresh_enter \"\$1\"
        mount -t tmpfs tmpfs \"\$1/run\"
        mkdir -p \"\$1/mnt/host\"
        echo \"\$init\" >\"\$1/init.pid\"
        cd \"\$1\"
        pivot_root . mnt/host
        umount -l /mnt/host
        exec \"\${@:2}\"" fresh "$target" \
        "${fresh_environment[@]}" container=postern /lib/systemd/systemd --system &
    outside=$!
    until fresh_in "$target" systemctl is-system-running 2>/dev/null | grep -q running; do
        as_root kill -0 "$outside" && [ "$tries" -lt 300 ] || die "systemd did not start"
        tries=$((tries + 1))
        sleep 0.2
    done
    fresh_in "$target" "${@:2}" || status=$?
    fresh_in "$target" systemctl exit
    wait "$outside" || status=$?
    return "$status"
}

# fresh_in ROOT COMMAND...: beside the first process of a booted root.
fresh_in() {
    [ -e "$1/init.pid" ] || return 1
    as_root nsenter --target "$(as_root cat "$1/init.pid")" --mount --pid --ipc --uts --cgroup \
        "${fresh_environment[@]}" "${@:2}"
}

# Two packages of these sources: an earlier and a later version of one program. What else is given
# goes to ./dev package (--build FOLDER).
fresh_packages() {
    local version
    version=$(package_version)
    command_package --version "$version~fresh1" "$@"
    fresh_old=$package_file
    command_package --version "$version~fresh2" "$@"
    fresh_new=$package_file
}

# The package in a Debian with systemd; fresh_old and fresh_new are set.
fresh_try_package() {
    local target=$1
    timed "mmdebstrap: a bare Debian 12 with systemd" fresh_make_root "$target" systemd-sysv,dbus ||
        die "no root"
    as_root mkdir -p "$target/srv/fixture"
    as_root tar -xf "$root/tests/data/stores/issue-2/data.tar.xz" -C "$target/srv/fixture"
    as_root install -D -m 644 -t "$target/srv/packages" "$fresh_old" "$fresh_new"
    fresh_booted "$target" bash /srv/postern/tools/dev/fresh_package.sh \
        "/srv/packages/${fresh_old##*/}" "/srv/packages/${fresh_new##*/}" /srv/fixture \
        /srv/postern/tests/data/stores/issue-2/expected.json
}

# The two commands in a Debian with nothing.
fresh_try_steps() {
    local target=$1 what=$2
    timed "mmdebstrap: a bare Debian 12" fresh_make_root "$target" || die "no root"
    fresh_inside "$target" bash /srv/postern/tools/dev/fresh_steps.sh "$what"
}

command_fresh() {
    local what=${1:-all} roots started status=0
    case $what in
        all | build | run | test | package) ;;
        *) die "./dev fresh [build|run|test|package]" ;;
    esac
    if [ "$what" = package ] || [ "$what" = all ]; then fresh_packages "${@:2}"; fi
    ensure_packages fresh
    started=$(seconds_now)
    roots=$(mktemp -d "${TMPDIR:-/tmp}/postern-fresh.XXXXXX")
    chmod 755 "$roots"
    # shellcheck disable=SC2064
    trap "as_root rm -rf --one-file-system '$roots'" EXIT
    case $what in package | all) fresh_try_package "$roots/package" || status=$? ;; esac
    if [ "$what" != package ] && [ "$status" -eq 0 ]; then
        fresh_try_steps "$roots/steps" "$what" || status=$?
    fi
    say "fresh: $what: $([ "$status" -eq 0 ] && echo good || echo "FAILED ($status)") after" \
        "$(seconds_since "$started") s"
    return "$status"
}
