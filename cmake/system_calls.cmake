# postern_system_calls(OUT_SOURCES): embeds the allow-lists of src/app/fence/system_calls, and tests
# that they agree with the traced runs beside them.

function(postern_system_calls out_sources)
    set(tools ${PROJECT_SOURCE_DIR}/tools/system_calls)
    set(generated ${PROJECT_BINARY_DIR}/generated/app/fence/embedded_system_calls.cpp)
    file(GLOB lists CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/app/fence/system_calls/*.txt)
    add_custom_command(
        OUTPUT ${generated}
        COMMAND ${Python3_EXECUTABLE} -B ${tools}/embed.py ${PROJECT_SOURCE_DIR} ${generated}
        DEPENDS ${tools}/embed.py ${tools}/lists.py ${lists}
        COMMENT "system calls: embedding the allow-lists" VERBATIM)
    add_test(NAME system_calls COMMAND ${Python3_EXECUTABLE} -B ${tools}/run.py check)
    add_test(NAME system_calls_selftest COMMAND ${Python3_EXECUTABLE} -B ${tools}/selftest.py)
    set(${out_sources} ${generated} PARENT_SCOPE)
endfunction()
