# ensure_packages NAME...: installs what tools/packages/NAME.txt lists and this machine lacks; for
# `build` also what tools/npm pins, into build/npm, and for `test` what tools/npm_tests pins, into
# build/npm-tests.

package_names() {
    local name
    for name in "$@"; do
        sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/tools/packages/$name.txt"
    done | sort -u
}

missing_packages() {
    local -a wanted
    mapfile -t wanted < <(package_names "$@")
    comm -23 <(printf '%s\n' "${wanted[@]}") <(
        dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
            sed -n 's/^installed //p' | sort -u
    )
}

# The servers that our tests start privately must not start as services of this machine as well.
install_packages() {
    local policy=/usr/sbin/policy-rc.d made=no status=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
        made=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$root/build/apt.log" 2>&1 || status=$?
    [ "$made" = no ] || as_root rm -f "$policy"
    return "$status"
}

update_and_install() {
    local log="$root/build/apt.log"
    if as_root apt-get update -qq >"$log" 2>&1 && install_packages "$@"; then return 0; fi
    tail -n 40 "$log" >&2
    return 1
}

ensure_packages() {
    ensure_debian_packages "$@"
    case " $* " in *" build "*) ensure_npm_packages npm npm ;; esac
    case " $* " in *" test "*) ensure_npm_packages npm_tests npm-tests ;; esac
}

# The stamp is good while neither the lists nor dpkg's own record have changed since it was made.
ensure_debian_packages() {
    local names="$*" name fresh=yes
    local stamp="$root/build/.packages-${names// /-}"
    [ "$stamp" -nt /var/lib/dpkg/status ] || fresh=no
    for name in "$@"; do
        [ "$stamp" -nt "$root/tools/packages/$name.txt" ] || fresh=no
    done
    [ "$fresh" = no ] || return 0
    command -v dpkg-query >/dev/null || die "no Debian: install tools/packages/*.txt by hand"
    mkdir -p "$root/build"
    local -a missing
    mapfile -t missing < <(missing_packages "$@")
    if [ "${#missing[@]}" -gt 0 ]; then
        say "missing: ${missing[*]}"
        timed "apt-get install (${#missing[@]} packages)" update_and_install "${missing[@]}" ||
            die "packages could not be installed"
    fi
    touch "$stamp"
}

# No script of a package runs when it is installed. The lock file has the SHA-512 of each archive.
install_npm_packages() {
    local pinned="$root/tools/$1" place="$root/build/$2" log="$root/build/$2.log"
    mkdir -p "$place"
    cp "$pinned/package.json" "$pinned/package-lock.json" "$place/"
    npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund >"$log" 2>&1 ||
        { tail -n 40 "$log" >&2; return 1; }
}

# ensure_npm_packages FOLDER PLACE: what tools/FOLDER pins, in build/PLACE. It is good while the
# lock file says what it said then: no registry is asked.
ensure_npm_packages() {
    local lock="$root/tools/$1/package-lock.json"
    local installed="$root/build/$2/node_modules/.installed-lock.json"
    ! cmp -s "$lock" "$installed" || return 0
    command -v npm >/dev/null || ensure_debian_packages npm
    timed "npm ci ($1)" install_npm_packages "$1" "$2" ||
        die "npm packages could not be installed"
    cp "$lock" "$installed"
}
