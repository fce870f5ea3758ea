# postern_module(NAME features/vault
#     DEPENDS foundation/base ...   other modules, all of lower layers
#     RUNS front keeper ...         processes that may contain it; "all" for foundation code
#     SOURCES ... HEADERS ... TESTS ... TEST_DEPENDS ...
#     ON_POSTGRESQL                 its tests run once more, with their stores on PostgreSQL
#     FUZZ name_fuzz.cpp ...        fuzz targets, built by the presets that have libFuzzer
#     LINKS OpenSSL::Crypto ...     third-party targets, never re-exported)
#
# Configuring fails on an edge that goes up or sideways. tools/lint/includes.py checks that the
# sources include nothing that DEPENDS does not name.

set(POSTERN_LAYERS foundation platform features edge app)
# Allowed edges inside a layer; everything else sideways is refused.
set(POSTERN_SIDEWAYS
    "foundation/codec>foundation/base" "foundation/codec/dns>foundation/base"
    "foundation/codec/imap>foundation/base"
    "foundation/codec/smtp>foundation/base" "foundation/codec/mail>foundation/base"
    "foundation/crypto>foundation/base" "platform/net/http>platform/async"
    "platform/net/dns>platform/async" "platform/net/http_client>platform/async"
    "platform/fetch>platform/ipc" "platform/fetch>platform/keys"
    "platform/net>platform/async" "platform/store>platform/async" "platform/os>platform/async"
    "platform/ipc>platform/async" "platform/ipc>platform/os" "platform/store>platform/os"
    "platform/audit>platform/async" "platform/audit>platform/ipc" "platform/audit>platform/keys"
    "platform/audit>platform/os" "platform/audit>platform/store"
    "platform/syslog>platform/async" "platform/syslog>platform/ipc" "platform/syslog>platform/net"
    "platform/own_mail>platform/async" "platform/own_mail>platform/ipc"
    "platform/own_mail>platform/keys" "platform/own_mail>platform/store"
    "platform/keys>platform/ipc" "platform/keys>platform/os" "platform/events>platform/async"
    "platform/events>platform/private_threads" "platform/events>platform/store"
    "platform/private_threads>platform/store"
    "features/integrations>features/mail/protocol"
    "app/control>app/config" "app/child>app/config" "app/child>app/control"
    "app/keeper>app/child" "app/keeper>app/config" "app/keeper>app/control"
    "app/courier>app/child" "app/courier>app/config" "app/courier>app/control"
    "app/reader>app/child" "app/reader>app/control"
    "app/front>app/child" "app/front>app/config" "app/front>app/control"
    "app/supervisor>app/config" "app/supervisor>app/control")

function(postern_layer_of module result)
    string(REGEX REPLACE "/.*" "" layer ${module})
    list(FIND POSTERN_LAYERS ${layer} index)
    if(index EQUAL -1)
        message(FATAL_ERROR "${module}: '${layer}' is no layer")
    endif()
    set(${result} ${index} PARENT_SCOPE)
endfunction()

function(postern_check_edges module)
    postern_layer_of(${module} own)
    foreach(other IN LISTS ARGN)
        postern_layer_of(${other} theirs)
        # Modules of one folder (features/mail/reader, features/mail/protocol) may use each other,
        # and so may the parts of the composition root.
        string(REGEX MATCH "^[^/]+/[^/]+" own_folder ${module})
        string(REGEX MATCH "^[^/]+/[^/]+" their_folder ${other})
        if(theirs GREATER own OR (theirs EQUAL own AND NOT ${module} MATCHES "^app/"
                                  AND NOT own_folder STREQUAL their_folder
                                  AND NOT "${module}>${other}" IN_LIST POSTERN_SIDEWAYS))
            message(FATAL_ERROR "${module} may not depend on ${other}")
        endif()
    endforeach()
endfunction()

function(postern_target_of module result)
    string(REPLACE "/" "_" name ${module})
    set(${result} ${name} PARENT_SCOPE)
endfunction()

function(postern_module)
    cmake_parse_arguments(M "ON_POSTGRESQL" "NAME"
        "DEPENDS;RUNS;SOURCES;HEADERS;TESTS;TEST_DEPENDS;FUZZ;LINKS" ${ARGN})
    postern_check_edges(${M_NAME} ${M_DEPENDS})
    postern_target_of(${M_NAME} target)
    set(kind STATIC)
    set(scope PUBLIC)
    if(NOT M_SOURCES)
        set(kind INTERFACE)
        set(scope INTERFACE)
    endif()
    add_library(${target} ${kind} ${M_SOURCES})
    target_link_libraries(${target} ${scope} postern_options)
    if(M_SOURCES)
        postern_precompile(${target} postern_pch)
    endif()
    foreach(other IN LISTS M_DEPENDS)
        postern_target_of(${other} name)
        target_link_libraries(${target} ${scope} ${name})
    endforeach()
    if(M_LINKS AND M_SOURCES)
        target_link_libraries(${target} PRIVATE ${M_LINKS})
    elseif(M_LINKS)
        target_link_libraries(${target} INTERFACE ${M_LINKS})
    endif()
    set_property(GLOBAL APPEND PROPERTY POSTERN_MODULES ${M_NAME})
    set_property(GLOBAL PROPERTY POSTERN_RUNS_${M_NAME} ${M_RUNS})
    set_property(GLOBAL PROPERTY POSTERN_DEPENDS_${M_NAME} ${M_DEPENDS})

    if(M_HEADERS)
        # Each header compiles by itself: one generated translation unit per header.
        foreach(header IN LISTS M_HEADERS)
            string(MAKE_C_IDENTIFIER "${M_NAME}/${header}" id)
            set(alone ${CMAKE_CURRENT_BINARY_DIR}/alone/${id}.cpp)
            file(CONFIGURE OUTPUT ${alone} CONTENT "#include \"${M_NAME}/${header}\"\n" @ONLY)
            list(APPEND alones ${alone})
        endforeach()
        add_library(${target}_headers OBJECT EXCLUDE_FROM_ALL ${alones})
        target_link_libraries(${target}_headers PRIVATE ${target} ${M_LINKS})
        set_property(GLOBAL APPEND PROPERTY POSTERN_HEADER_CHECKS ${target}_headers)
    endif()

    if(M_TESTS)
        # Not built by default: whoever runs a server waits for no test.
        add_executable(${target}_test EXCLUDE_FROM_ALL ${M_TESTS})
        set_property(GLOBAL APPEND PROPERTY POSTERN_UNIT_TESTS ${target}_test)
        target_link_libraries(${target}_test PRIVATE ${target} GTest::gtest_main GTest::gmock
            Threads::Threads ${M_LINKS})
        foreach(other IN LISTS M_TEST_DEPENDS)
            postern_target_of(${other} name)
            target_link_libraries(${target}_test PRIVATE ${name})
        endforeach()
        target_compile_definitions(${target}_test PRIVATE
            POSTERN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
        postern_precompile(${target}_test postern_test_pch)
        add_test(NAME ${target} COMMAND ${target}_test --gtest_brief=1)
        set(report GTEST_OUTPUT=xml:${PROJECT_BINARY_DIR}/gtest/${target})
        set_tests_properties(${target} PROPERTIES ENVIRONMENT ${report}.xml)
        if(M_ON_POSTGRESQL)
            # Those of PostgreSQL itself have had their turn.
            add_test(NAME ${target}_on_postgresql
                COMMAND ${target}_test --gtest_brief=1 --gtest_filter=-Postgres*)
            set_tests_properties(${target}_on_postgresql PROPERTIES
                ENVIRONMENT "POSTERN_TEST_STORE=postgresql;${report}_on_postgresql.xml")
        endif()
    endif()

    if(POSTERN_FUZZ)
        foreach(source IN LISTS M_FUZZ)
            cmake_path(GET source STEM name)
            add_executable(${name} EXCLUDE_FROM_ALL ${source})
            target_link_libraries(${name} PRIVATE ${target} ${M_LINKS})
            target_link_options(${name} PRIVATE -fsanitize=fuzzer)
            postern_precompile(${name} postern_test_pch)
            set_target_properties(${name} PROPERTIES
                RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
            set_property(GLOBAL APPEND PROPERTY POSTERN_FUZZ_TARGETS ${name})
        endforeach()
    endif()
endfunction()

# postern_process(NAME postern-keeper ROLE keeper SOURCES ... DEPENDS ...): one role's executable.
function(postern_process)
    cmake_parse_arguments(P "" "NAME;ROLE" "SOURCES;DEPENDS;LINKS" ${ARGN})
    add_executable(${P_NAME} ${P_SOURCES})
    target_link_libraries(${P_NAME} PRIVATE postern_options Threads::Threads ${P_LINKS})
    foreach(other IN LISTS P_DEPENDS)
        postern_target_of(${other} name)
        target_link_libraries(${P_NAME} PRIVATE ${name})
    endforeach()
    set_target_properties(${P_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    set_property(GLOBAL APPEND PROPERTY POSTERN_PROCESSES ${P_ROLE})
    set_property(GLOBAL PROPERTY POSTERN_PROCESS_${P_ROLE} ${P_DEPENDS})
endfunction()

# Every module that a process links, directly or not, must name that process in RUNS.
function(postern_check_processes)
    get_property(roles GLOBAL PROPERTY POSTERN_PROCESSES)
    foreach(role IN LISTS roles)
        get_property(todo GLOBAL PROPERTY POSTERN_PROCESS_${role})
        set(seen "")
        while(todo)
            list(POP_FRONT todo module)
            if(module IN_LIST seen)
                continue()
            endif()
            list(APPEND seen ${module})
            get_property(runs GLOBAL PROPERTY POSTERN_RUNS_${module})
            if(NOT "all" IN_LIST runs AND NOT ${role} IN_LIST runs)
                message(FATAL_ERROR "${module} does not run in ${role} (RUNS ${runs})")
            endif()
            get_property(more GLOBAL PROPERTY POSTERN_DEPENDS_${module})
            list(APPEND todo ${more})
        endwhile()
    endforeach()
    get_property(checks GLOBAL PROPERTY POSTERN_HEADER_CHECKS)
    add_custom_target(headers_alone DEPENDS ${checks})
    get_property(fuzzers GLOBAL PROPERTY POSTERN_FUZZ_TARGETS)
    add_custom_target(fuzz_targets DEPENDS ${fuzzers})
    get_property(tests GLOBAL PROPERTY POSTERN_UNIT_TESTS)
    add_custom_target(unit_tests DEPENDS ${tests})
endfunction()
