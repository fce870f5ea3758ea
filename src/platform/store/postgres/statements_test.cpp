#include "platform/store/postgres/statements.h"

#include "platform/store/migration.h"
#include "platform/store/postgres/ddl.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace postern::store::postgres {
namespace {

TEST(PostgresStatements, counts_parameters_when_each_is_used) {
    constexpr std::pair<std::string_view, std::size_t> k_cases[] = {
        {"SELECT 1", 0},
        {"SELECT $1", 1},
        {"SELECT $2, $1, $2", 2},
        {"SELECT '$5', $1", 1},
        {"SELECT '''$9' ", 0},
        {"SELECT $1::text", 1},
        {"VALUES ($10, $9, $8, $7, $6, $5, $4, $3, $2, $1)", 10},
    };
    for (const auto& [sql, count] : k_cases)
        EXPECT_EQ(count_parameters(sql).value_or(99), count) << sql;
}

TEST(PostgresStatements, refuses_parameters_when_they_are_not_one_to_n) {
    for (const auto* sql : {"SELECT $2", "SELECT $1, $3", "SELECT $x", "SELECT $", "SELECT $0, $1",
                            "SELECT $99999999999999999999", "SELECT $$text$$", "SELECT $1001"}) {
        EXPECT_TRUE(fails_with(count_parameters(sql), StoreError::bad_statement)) << sql;
    }
}

TEST(PostgresDdl, says_the_same_in_its_own_words) {
    constexpr std::string_view k_table =
        "CREATE TABLE a (id {blob} NOT NULL, n {int64}, name TEXT NOT NULL, PRIMARY KEY (id)) "
        "STRICT;\nCREATE INDEX i ON a (n);";
    EXPECT_EQ(ddl_of(k_table, StoreKind::store),
              "CREATE TABLE a (id BYTEA NOT NULL, n BIGINT, name TEXT COLLATE \"C\" NOT NULL, "
              "PRIMARY KEY (id));\nCREATE INDEX i ON a (n);");
    EXPECT_TRUE(ddl_of(k_table, StoreKind::index).starts_with("CREATE UNLOGGED TABLE a"));
    EXPECT_TRUE(ddl_of("CREATE TABLE IF NOT EXISTS m (n {int64}) STRICT", StoreKind::index)
                    .starts_with("CREATE TABLE IF NOT EXISTS m (n BIGINT)"))
        << "the list of migrations outlives a crash";
    EXPECT_NE(ddl_of(k_table, StoreKind::keyring).find("SET STATISTICS 0"), std::string::npos);
    EXPECT_EQ(ddl_of(k_table, StoreKind::store).find("STATISTICS"), std::string::npos);
}

}  // namespace
}  // namespace postern::store::postgres
