# postern_data_map(OUT_SOURCES): checks the data map against the migrations and generates
# platform/store/{data_map.h,data_map.cpp,embedded_migrations.cpp} below build/.../generated.
# A stored column without an entry, or an entry without a column, fails the build here.

function(postern_data_map out_sources)
    set(tools ${PROJECT_SOURCE_DIR}/tools/data_map)
    set(store ${PROJECT_SOURCE_DIR}/src/platform/store)
    set(generated ${PROJECT_BINARY_DIR}/generated/platform/store)
    # CONFIGURE_DEPENDS: a new migration is noticed by the next build, not the next configure.
    file(GLOB migrations CONFIGURE_DEPENDS ${store}/migrations/*/*.sql)
    add_custom_command(
        OUTPUT ${generated}/data_map.h ${generated}/data_map.cpp
        COMMAND ${Python3_EXECUTABLE} -B ${tools}/check.py ${store}/data_map.csv ${store}/migrations
                --header ${generated}/data_map.h --source ${generated}/data_map.cpp
        DEPENDS ${tools}/check.py ${store}/data_map.csv ${migrations}
        COMMENT "data map: checking columns against entries" VERBATIM)
    add_custom_command(
        OUTPUT ${generated}/embedded_migrations.cpp
        COMMAND ${Python3_EXECUTABLE} -B ${tools}/embed.py ${store}/migrations
                ${generated}/embedded_migrations.cpp
        DEPENDS ${tools}/embed.py ${tools}/check.py ${migrations}
        COMMENT "data map: embedding migrations" VERBATIM)
    add_custom_command(
        OUTPUT ${generated}/table_texts.cpp
        COMMAND ${Python3_EXECUTABLE} -B ${tools}/tables.py ${store}/data_map.csv
                ${store}/migrations ${generated}/table_texts.cpp
        DEPENDS ${tools}/tables.py ${tools}/check.py ${store}/data_map.csv ${migrations}
        COMMENT "data map: statements for whole tables" VERBATIM)
    add_test(NAME data_map_selftest COMMAND ${Python3_EXECUTABLE} -B ${tools}/selftest.py)
    set(${out_sources} ${generated}/data_map.h ${generated}/data_map.cpp
        ${generated}/embedded_migrations.cpp ${generated}/table_texts.cpp PARENT_SCOPE)
endfunction()
