# ./dev fresh: a bare Debian 12 root, a clone of HEAD in it, and the two commands of the README.
# Everything in the root runs in a process namespace of its own and so ends with it.

fresh_sources() {
    # The host's own mirror configuration, so that this works where only that one is reached.
    local file=/etc/apt/sources.list.d/debian.sources
    [ -f "$file" ] || file=/etc/apt/sources.list
    if [ -s "$file" ]; then printf '%s\n' "$file"; fi
}

fresh_make_root() {
    local target=$1
    local -a sources options
    mapfile -t sources < <(fresh_sources)
    mapfile -t options < <(
        apt-config dump | sed -n 's/^\(Acquire::[a-z]*::Proxy.*\);$/--aptopt=\1/p'
    )
    as_root mmdebstrap --quiet --variant=minbase "${options[@]}" \
        bookworm "$target" "${sources[@]}" || return 1
    as_root cp --remove-destination "$(readlink -f /etc/resolv.conf)" "$target/etc/resolv.conf"
    as_root git -c safe.directory='*' clone --quiet --no-hardlinks "$root" "$target/srv/postern"
}

# fresh_inside ROOT COMMAND...: with /proc, /dev and /sys, in namespaces that end with the command.
fresh_inside() {
    local target=$1
    shift
    as_root unshare --mount --pid --ipc --uts --fork --kill-child bash -c '
        set -e
        target=$1
        shift
        mount -t proc proc "$target/proc"
        mount --rbind /dev "$target/dev"
        mount --bind /sys "$target/sys"
        mount -t tmpfs tmpfs "$target/dev/shm"
        exec chroot "$target" env -i HOME=/root LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    ' fresh "$target" "$@"
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

fresh_report() {
    local verdict=$1 what=$2 started=$3
    say "fresh: $what: $verdict after $(seconds_since "$started") s"
}

command_fresh() {
    local what=${1:-all} target started status=0
    case $what in
        all | build | run | test | package) ;;
        *) die "./dev fresh [build|run|test|package]" ;;
    esac
    if [ "$what" = package ] || [ "$what" = all ]; then fresh_packages "${@:2}"; fi
    ensure_packages fresh
    started=$(seconds_now)
    target=$(mktemp -d "${TMPDIR:-/tmp}/postern-fresh.XXXXXX")
    chmod 755 "$target"
    # shellcheck disable=SC2064
    trap "as_root rm -rf --one-file-system '$target'" EXIT
    timed "mmdebstrap: a bare Debian 12 in $target" fresh_make_root "$target" || die "no root"
    if [ "$what" = package ] || [ "$what" = all ]; then
        as_root mkdir -p "$target/srv/fixture"
        as_root tar -xf "$root/tests/data/stores/issue-2/data.tar.xz" -C "$target/srv/fixture"
        as_root install -D -m 644 -t "$target/srv/packages" "$fresh_old" "$fresh_new"
        fresh_inside "$target" bash /srv/postern/tools/dev/fresh_package.sh \
            "/srv/packages/${fresh_old##*/}" "/srv/packages/${fresh_new##*/}" /srv/postern ||
            status=$?
    fi
    if [ "$what" != package ] && [ "$status" -eq 0 ]; then
        fresh_inside "$target" bash /srv/postern/tools/dev/fresh_steps.sh "$what" || status=$?
    fi
    if [ "$status" -eq 0 ]; then
        fresh_report "good" "$what" "$started"
    else
        fresh_report "FAILED ($status)" "$what" "$started"
    fi
    return "$status"
}
