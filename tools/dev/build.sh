# build_preset PRESET [NINJA ARGUMENTS]: configures when needed, then builds.

configured() {
    local ninja="$root/build/$1/build.ninja"
    [ -f "$ninja" ] && [ "$ninja" -nt "$root/CMakePresets.json" ]
}

run_cmake() {
    local log="$root/build/cmake-$1.log"
    cmake -S "$root" --preset "$1" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

configure_preset() {
    mkdir -p "$root/build"
    configured "$1" || timed "cmake --preset $1" run_cmake "$1"
}

build_preset() {
    local preset=$1
    shift
    configure_preset "$preset" || return 1
    timed "build $preset" ninja -C "$root/build/$preset" "$@" >&2
}

ensure_packages_of() {
    ensure_packages build
    case $1 in asan | tsan | fuzz | tidy) ensure_packages test ;; esac
}

command_configure() {
    ensure_packages_of "${1:-release}"
    configure_preset "${1:-release}" || die "configuring failed"
}

command_build() {
    local preset=${1:-release}
    [ $# -eq 0 ] || shift
    ensure_packages_of "$preset"
    build_preset "$preset" "$@" || die "the build failed"
    if [ -x "$root/build/$preset/postern" ]; then
        say "built $root/build/$preset/postern"
    fi
}
