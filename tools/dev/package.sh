# ./dev package [--version V] [--build FOLDER]: a Debian package of the release build (or of the
# programs in a folder), in build/package.
# The same sources make the same bytes: times are those of the last commit, owners are root.

package_stage() {
    local from=$1 stage=$2 version=$3 program
    local doc="$stage/usr/share/doc/postern"
    install -d "$stage"/{DEBIAN,etc/postern,usr/bin,usr/libexec/postern} \
        "$stage"/usr/lib/{systemd/system,sysusers.d} \
        "$stage"/usr/share/{man/man1,lintian/overrides} "$doc"
    install -m 755 -s "$from/postern" "$stage/usr/bin/postern"
    for program in front keeper courier reader; do
        install -m 755 -s "$from/postern-$program" "$stage/usr/libexec/postern/postern-$program"
    done
    install -m 644 packaging/postern.service "$stage/usr/lib/systemd/system/postern.service"
    install -m 644 packaging/postern.sysusers "$stage/usr/lib/sysusers.d/postern.conf"
    install -m 644 packaging/postern.toml "$stage/etc/postern/postern.toml"
    install -m 644 packaging/lintian-overrides "$stage/usr/share/lintian/overrides/postern"
    gzip -9nc packaging/postern.1 >"$stage/usr/share/man/man1/postern.1.gz"
    install -m 644 docs/operating.md docs/threat-model.md "$doc"
    install -m 644 packaging/copyright "$doc/copyright"
    package_changelog "$version" | gzip -9n >"$doc/changelog.gz"
    echo /etc/postern/postern.toml >"$stage/DEBIAN/conffiles"
    install -m 755 packaging/{postinst,prerm,postrm} "$stage/DEBIAN/"
}

package_changelog() {
    printf 'postern (%s) unstable; urgency=medium\n\n  * See changes/ in the sources.\n\n' "$1"
    printf ' -- Postern developers <postern@localhost>  %s\n' \
        "$(date -R -u -d "@$SOURCE_DATE_EPOCH")"
}

# What the programs need of other packages, from the libraries that they load.
package_libraries() {
    local stage=$1 work=$2
    mkdir -p "$work/debian"
    printf 'Source: postern\nPackage: postern\nArchitecture: any\n' >"$work/debian/control"
    (cd "$work" && dpkg-shlibdeps -O "$stage"/usr/bin/postern "$stage"/usr/libexec/postern/*) |
        sed -n 's/^shlibs:Depends=//p'
}

package_control() {
    local stage=$1 version=$2 work=$3 libraries
    libraries=$(package_libraries "$stage" "$work") || return 1
    [ -n "$libraries" ] || return 1
    sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$(dpkg --print-architecture)/" \
        -e "s/@INSTALLED_SIZE@/$(du -k -s --apparent-size "$stage" | cut -f1)/" \
        -e "s/@SHLIBS@/$libraries/" packaging/control.in >"$stage/DEBIAN/control"
    (cd "$stage" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum) \
        >"$stage/DEBIAN/md5sums"
}

package_make() {
    local from=$1 version=$2 out=$3 work
    work=$(mktemp -d "$root/build/package/work.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" RETURN
    umask 022
    package_stage "$from" "$work/stage" "$version" &&
        package_control "$work/stage" "$version" "$work" || return 1
    find "$work/stage" -newermt "@$SOURCE_DATE_EPOCH" -print0 |
        xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
    dpkg-deb --root-owner-group -Zxz --build "$work/stage" "$out" >/dev/null
}

package_version() {
    sed -n 's/^project(postern .*VERSION \([0-9.]*\)).*/\1/p' "$root/CMakeLists.txt"
}

command_package() {
    local version from="" program
    version=$(package_version)
    while [ $# -gt 0 ]; do
        case $1 in
            --version) version=$2; shift 2 ;;
            --build) from=$2; shift 2 ;;
            *) die "./dev package [--version V] [--build FOLDER]" ;;
        esac
    done
    ensure_packages build package
    if [ -z "$from" ]; then
        build_preset release postern postern-front postern-keeper postern-courier postern-reader ||
            die "the build failed"
        from=$root/build/release
    fi
    for program in postern postern-{front,keeper,courier,reader}; do
        [ -x "$from/$program" ] || die "no $from/$program"
    done
    mkdir -p "$root/build/package"
    package_file="$root/build/package/postern_${version}_$(dpkg --print-architecture).deb"
    SOURCE_DATE_EPOCH=$(git -c safe.directory='*' log -1 --format=%ct)
    export SOURCE_DATE_EPOCH
    package_make "$from" "$version" "$package_file" || die "the package could not be made"
    lintian --fail-on error,warning --allow-root "$package_file" || die "lintian is not content"
    say "$package_file ($(du -h "$package_file" | cut -f1))"
}
