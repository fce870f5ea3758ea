# postern_precompile(TARGET OWNER): TARGET is compiled over OWNER's precompiled header, which saves
# a quarter of a clean build. What a file uses it includes all the same: the suite `headers` and
# clang-tidy compile without.
option(POSTERN_PCH "use precompiled headers" OFF)

if(POSTERN_PCH)
    set(postern_pch_std <algorithm> <array> <charconv> <chrono> <cstdint> <cstring> <deque>
        <expected> <functional> <list> <map> <memory> <optional> <set> <span> <string>
        <string_view> <tuple> <utility> <variant> <vector> <boost/asio/awaitable.hpp>)
    file(WRITE ${PROJECT_BINARY_DIR}/generated/precompiled.cpp "")
    # A library's code is compiled as -fPIC and a program's as -fPIE: one owner for each.
    add_library(postern_pch STATIC ${PROJECT_BINARY_DIR}/generated/precompiled.cpp)
    target_precompile_headers(postern_pch PRIVATE ${postern_pch_std})
    add_executable(postern_test_pch EXCLUDE_FROM_ALL
        ${PROJECT_BINARY_DIR}/generated/precompiled.cpp)
    target_link_libraries(postern_test_pch PRIVATE GTest::gtest_main GTest::gmock Threads::Threads)
    target_precompile_headers(postern_test_pch PRIVATE ${postern_pch_std}
        <filesystem> <fstream> <gtest/gtest.h> <gmock/gmock.h>)
    foreach(owner postern_pch postern_test_pch)
        target_link_libraries(${owner} PRIVATE postern_options)
        target_compile_options(${owner} PRIVATE
            $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
            $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
    endforeach()
endif()

function(postern_precompile target owner)
    if(POSTERN_PCH)
        target_precompile_headers(${target} REUSE_FROM ${owner})
        target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
    endif()
endfunction()
