# Warnings, hardening, sanitizers: one interface target that every module links.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(POSTERN_SANITIZE "" CACHE STRING "comma-separated sanitizers, e.g. address,undefined")
option(POSTERN_FUZZ "build the fuzz targets; needs clang and its libFuzzer" OFF)

add_library(postern_options INTERFACE)
target_include_directories(postern_options INTERFACE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
target_compile_options(postern_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
    -Wnull-dereference -Wformat=2 -Werror -fno-strict-aliasing)
target_compile_definitions(postern_options INTERFACE
    BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_REGEX _GLIBCXX_ASSERTIONS)
target_link_options(postern_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports these inside its own coroutine frames and std::expected.
    target_compile_options(postern_options INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized
        $<$<CONFIG:Release>:-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
            -Wno-restrict -Wno-mismatched-new-delete -Wno-dangling-pointer -Wno-use-after-free
            -Wno-free-nonheap-object>)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(postern_options INTERFACE -fstack-protector-strong -D_FORTIFY_SOURCE=3
        -fstack-clash-protection -fcf-protection)
    target_link_options(postern_options INTERFACE -pie)
endif()
if(POSTERN_SANITIZE)
    target_compile_options(postern_options INTERFACE -fsanitize=${POSTERN_SANITIZE}
        -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(postern_options INTERFACE -fsanitize=${POSTERN_SANITIZE})
endif()

find_program(POSTERN_MOLD mold)
if(POSTERN_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_link_options(postern_options INTERFACE -fuse-ld=mold)
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_link_options(postern_options INTERFACE -fuse-ld=lld-19)
endif()
find_program(POSTERN_CCACHE ccache)
if(POSTERN_CCACHE)
    # What ccache asks for before it looks at a file that uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${POSTERN_CCACHE})
endif()
