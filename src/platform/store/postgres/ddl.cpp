#include "platform/store/postgres/ddl.h"

#include "platform/store/migration.h"

#include <string>
#include <string_view>
#include <utility>

namespace postern::store::postgres {

namespace {

constexpr std::string_view k_no_statistics =
    "DO $$ DECLARE c record; BEGIN FOR c IN SELECT a.attrelid::regclass AS t, a.attname AS n "
    "FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid "
    "WHERE r.relnamespace = current_schema()::regnamespace AND r.relkind = 'r' "
    "AND a.atttypid = 'bytea'::regtype AND a.attstattarget <> 0 AND NOT a.attisdropped LOOP "
    "EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', c.t, c.n); "
    "END LOOP; END $$;";

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

}  // namespace

std::string ddl_of(std::string_view migration, StoreKind kind) {
    constexpr std::pair<std::string_view, std::string_view> k_words[] = {
        {"{int64}", "BIGINT"},
        {"{blob}", "BYTEA"},
        {") STRICT", ")"},
        {" TEXT", " TEXT COLLATE \"C\""},
    };
    std::string text(migration);
    for (const auto& [from, to] : k_words)
        text = replace_all(std::move(text), from, to);
    // But for the list of migrations ("IF NOT EXISTS"), which must outlive a crash.
    if (kind == StoreKind::index) {
        text = replace_all(std::move(text), "CREATE TABLE ", "CREATE UNLOGGED TABLE ");
        text = replace_all(std::move(text), "CREATE UNLOGGED TABLE IF", "CREATE TABLE IF");
    }
    if (kind == StoreKind::keyring) text.append(";").append(k_no_statistics);
    return text;
}

}  // namespace postern::store::postgres
