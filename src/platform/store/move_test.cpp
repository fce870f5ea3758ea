#include "platform/store/move.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/postgres/cutting_proxy_test.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/table_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

namespace postern::store {
namespace {

constexpr SqlText k_mark = "SELECT count(*) FROM unfinished_copy";
constexpr SqlText k_count = "SELECT count(*) FROM events";
constexpr SqlText k_add_key =
    "INSERT INTO subject_keys (workspace_id, creator_id, purpose, wrap) VALUES ($1, $2, 1, $3)";

/// From files to a cluster and back; the cluster is the program's.
class PostgresMove : public testing::Test {
protected:
    void SetUp() override {
        const auto name = "move" + std::to_string(++databases_);
        shared_cluster().sql({"CREATE DATABASE " + name});
        files_.file = folder_.file("store.db");
        files_.create = true;
        files_.readers = 0;
        cluster_ = files_;
        cluster_.server = shared_cluster().server(name);
    }
    /// Text, numbers, bytes and NULL, over several pages of both sizes.
    static void fill(const Database::Options& options, std::int64_t rows) {
        const auto opened = Database::open(options);
        ASSERT_TRUE(opened) << opened.error().detail();
        const auto filled = (*opened)->write_now([rows](Transaction& t) -> Result<> {
            for (std::int64_t i = 0; i < rows; ++i) {
                t.execute_later(
                    "INSERT INTO events (workspace_id, number, at_ms, kind, ids) "
                    "VALUES ($1, $2, $3, 'a', $4)",
                    {k_installation, i, 5'000'000'000 + i, Clear::text("{\"\xC3\xA9\"}")});
            }
            for (std::int64_t i = 0; i < 11; ++i) {
                const SealedBytes sealed(Bytes(static_cast<std::size_t>(i * i), 0));
                t.execute_later(
                    "INSERT INTO integrations (workspace_id, integration_id, kind, level, state, "
                    "epoch, settings, search_label, broken_code, created_at_ms) "
                    "VALUES ($1, $2, 'imap', '', 'active', 1, $3, 'x', $4, 0)",
                    {k_installation, IntegrationId::make(i), sealed,
                     i % 2 == 0 ? Value(std::nullopt) : Value(Clear::text("b"))});
            }
            return {};
        });
        ASSERT_TRUE(filled) << filled.error().detail();
    }
    static std::int64_t count(const Database::Options& options, SqlText sql) {
        auto existing = options;
        existing.create = false;
        const auto opened = Database::open(existing);
        if (!opened) return -1;
        return (*opened)
            ->read_now([sql](Transaction& t) -> Result<std::int64_t> {
                POSTERN_TRY(const auto row, t.query_one(sql));
                return row->integer(0);
            })
            .value_or(-2);
    }

    /// The keyring of both, with one key in the cluster's; a user of the cluster without its
    /// rights.
    void on_keyrings(const Bytes& wrap) {
        const auto& name = cluster_.server->database;
        shared_cluster().sql({"CREATE ROLE " + name + " LOGIN",
                              "GRANT CREATE ON DATABASE " + name + " TO " + name,
                              "GRANT pg_read_all_stats, pg_checkpoint TO " + name});
        shared_cluster().sql({"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO " + name}, name);
        files_.kind = cluster_.kind = StoreKind::keyring;
        files_.file = folder_.file("keyring.db");
        cluster_.server->user = name;
        const auto opened = Database::open(cluster_);
        ASSERT_TRUE(opened) << opened.error().detail();
        const SealedBytes sealed(wrap);
        ASSERT_TRUE((*opened)->write_now([&](Transaction& t) {
            return t.execute(k_add_key, {k_installation, CreatorId::make(1), sealed});
        }));
    }
    /// In how many files of the cluster, heap and log alike, the bytes stand.
    static int files_with(const Bytes& bytes) {
        int hits = 0;
        const auto needle = std::string(as_text(bytes));
        std::error_code ignored;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(shared_cluster().data(), ignored)) {
            if (!entry.is_regular_file(ignored)) continue;
            if (content_of(entry.path()).find(needle) != std::string::npos) ++hits;
        }
        return hits;
    }

    static inline int databases_ = 0;
    TestFolder folder_;
    Database::Options files_;
    Database::Options cluster_;
};

TEST_F(PostgresMove, carries_every_row_there_and_back) {
    fill(files_, 1203);
    const auto there = copy_store(files_, cluster_);
    ASSERT_TRUE(there) << there.error().detail();
    EXPECT_EQ(*there, 1203 + 11);
    EXPECT_EQ(count(files_, k_count), 1203) << "the source is whole until the end";
    ASSERT_TRUE(finish_move(files_, cluster_));
    EXPECT_FALSE(std::filesystem::exists(files_.file));
    EXPECT_EQ(count(cluster_, k_count), 1203);
    EXPECT_EQ(count(cluster_, k_mark), -2) << "no mark is left";
    const auto back = copy_store(cluster_, files_);
    ASSERT_TRUE(back) << back.error().detail();
    EXPECT_EQ(*back, 1203 + 11);
    ASSERT_TRUE(finish_move(cluster_, files_));
    EXPECT_EQ(count(cluster_, k_count), -1) << "no store is left";
    EXPECT_EQ(count(files_, k_count), 1203);
}

TEST_F(PostgresMove, refuses_a_target_with_rows_of_its_own) {
    fill(files_, 3);
    fill(cluster_, 1);
    EXPECT_TRUE(fails_with(copy_store(files_, cluster_), StoreError::not_empty));
    EXPECT_EQ(count(cluster_, k_count), 1);
    EXPECT_TRUE(finish_move(files_, cluster_)) << "there is nothing to finish";
    EXPECT_EQ(count(files_, k_count), 3) << "and nothing is destroyed";
}

TEST_F(PostgresMove, begins_anew_where_it_was_interrupted) {
    fill(files_, 3);
    ASSERT_TRUE(copy_store(files_, cluster_));
    // As if it had stopped before the switch, and the source had changed since.
    const auto opened = Database::open(files_);
    ASSERT_TRUE((*opened)->write_now(
        [](Transaction& t) { return t.execute("DELETE FROM events WHERE number = 0"); }));
    (*opened)->close();
    EXPECT_EQ(copy_store(files_, cluster_).value_or(-1), 2 + 11);
    ASSERT_TRUE(finish_move(files_, cluster_));
    EXPECT_EQ(count(cluster_, k_count), 2);
    EXPECT_TRUE(finish_move(files_, cluster_)) << "as after a crash at its end";
}

TEST_F(PostgresMove, opens_no_target_before_its_source_is_gone) {
    fill(files_, 3);
    ASSERT_TRUE(copy_store(files_, cluster_));
    EXPECT_TRUE(fails_with(Database::open(cluster_), MoveError::unfinished));
    auto back = files_;
    back.file = folder_.file("back.db");
    EXPECT_TRUE(fails_with(copy_store(cluster_, back), MoveError::unfinished));
    ASSERT_TRUE(finish_move(files_, cluster_));
    EXPECT_TRUE(abandon_copy(back));
    ASSERT_TRUE(copy_store(cluster_, back));
    EXPECT_TRUE(fails_with(Database::open(back), MoveError::unfinished));
    ASSERT_TRUE(finish_move(cluster_, back));
    EXPECT_EQ(count(back, k_count), 3);
}

TEST_F(PostgresMove, takes_a_copy_back_and_nothing_else) {
    fill(files_, 3);
    EXPECT_TRUE(abandon_copy(cluster_)) << "there is nothing yet";
    ASSERT_TRUE(copy_store(files_, cluster_));
    ASSERT_TRUE(abandon_copy(cluster_));
    EXPECT_EQ(count(cluster_, k_count), -1) << "no store is left";
    EXPECT_EQ(count(files_, k_count), 3);
    EXPECT_TRUE(abandon_copy(files_));
    EXPECT_EQ(count(files_, k_count), 3) << "which is no copy";
}

TEST_F(PostgresMove, leaves_no_key_of_a_copy_that_was_taken_back) {
    const Bytes wrap(40, 0xb3);
    ASSERT_NO_FATAL_FAILURE(on_keyrings(wrap));
    ASSERT_TRUE(copy_store(cluster_, files_));
    ASSERT_TRUE(finish_move(cluster_, files_));
    ASSERT_EQ(files_with(wrap), 0);
    ASSERT_TRUE(copy_store(files_, cluster_));
    ASSERT_GE(files_with(wrap), 1);
    ASSERT_TRUE(abandon_copy(cluster_));
    EXPECT_EQ(files_with(wrap), 0);
    EXPECT_EQ(count(files_, "SELECT count(*) FROM subject_keys"), 1);
}

TEST_F(PostgresMove, tells_beforehand_whether_a_target_can_take_a_store) {
    EXPECT_TRUE(check_target(cluster_));
    EXPECT_EQ(count(cluster_, k_count), -1) << "and makes none";
    auto nowhere = cluster_;
    nowhere.server->database = "nowhere";
    EXPECT_TRUE(fails_with(check_target(nowhere), StoreError::not_found));
    EXPECT_TRUE(check_target(files_));
    std::ofstream(files_.file).flush();
    EXPECT_TRUE(check_target(files_)) << "a file that was only begun";
    std::filesystem::remove(files_.file);
    fill(files_, 1);
    EXPECT_TRUE(fails_with(check_target(files_), StoreError::not_empty));
    ASSERT_TRUE(copy_store(files_, cluster_));
    EXPECT_TRUE(check_target(cluster_)) << "an unfinished one is begun anew";
}

TEST_F(PostgresMove, destroys_the_copies_from_before_migrations_with_the_file) {
    fill(files_, 1);
    std::ofstream(files_.file + ".before-2") << "as it was";
    ASSERT_TRUE(copy_store(files_, cluster_));
    ASSERT_TRUE(std::filesystem::exists(files_.file + ".before-2"));
    ASSERT_TRUE(finish_move(files_, cluster_));
    EXPECT_FALSE(std::filesystem::exists(files_.file + ".before-2"));
}

TEST_F(PostgresMove, cuts_the_log_that_a_key_lay_in_also_when_that_failed_at_first) {
    const Bytes wrap(40, 0xa7);
    ASSERT_NO_FATAL_FAILURE(on_keyrings(wrap));
    ASSERT_EQ(copy_store(cluster_, files_).value_or(-1), 1);
    const auto& user = cluster_.server->user;
    shared_cluster().sql({"REVOKE pg_checkpoint FROM " + user});
    auto unchecked = cluster_;
    unchecked.server->may_keep_destroyed = true;
    EXPECT_TRUE(fails_with(finish_move(unchecked, files_), StoreError::not_permitted));
    EXPECT_EQ(count(unchecked, "SELECT count(*) FROM subject_keys"), -1) << "it is dropped";
    EXPECT_GE(files_with(wrap), 1) << "and lies in the log";
    shared_cluster().sql({"GRANT pg_checkpoint TO " + user});
    const auto finished = finish_move(cluster_, files_);
    EXPECT_TRUE(finished) << finished.error().detail();
    EXPECT_EQ(files_with(wrap), 0);
}

TEST_F(PostgresMove, is_not_finished_when_the_mark_cannot_be_read) {
    fill(files_, 3);
    ASSERT_TRUE(copy_store(files_, cluster_));
    CuttingProxy proxy(folder_.file("proxy"), shared_cluster().folder());
    auto cut = cluster_;
    cut.server->addresses = {{proxy.folder(), 5432}};
    proxy.arm(CuttingProxy::Cut::before, false, "unfinished_copy");
    EXPECT_TRUE(fails_with(finish_move(files_, cut), StoreError::connection_lost));
    EXPECT_EQ(proxy.cuts(), 1);
    EXPECT_TRUE(std::filesystem::exists(files_.file));
    EXPECT_TRUE(finish_move(files_, cut));
    EXPECT_FALSE(std::filesystem::exists(files_.file));
    EXPECT_EQ(count(cluster_, k_mark), -2) << "no mark is left";
}

TEST_F(PostgresMove, empties_the_index_which_is_made_anew) {
    auto from = files_;
    auto to = cluster_;
    from.kind = to.kind = StoreKind::index;
    from.file = folder_.file("index.db");
    for (const auto& options : {from, to}) {
        const auto opened = Database::open(options);
        ASSERT_TRUE((*opened)->write_now([](Transaction& t) {
            return t.execute(
                "INSERT INTO meta (workspace_id, name, value) "
                "VALUES ($1, 'creators_complete', $1)",
                {k_installation});
        }));
    }
    EXPECT_EQ(copy_store(from, to).value_or(-1), 0);
    ASSERT_TRUE(finish_move(from, to));
    EXPECT_EQ(count(to, "SELECT count(*) FROM meta"), 0);
    EXPECT_FALSE(std::filesystem::exists(from.file));
}

TEST_F(PostgresMove, changes_nothing_when_one_side_cannot_be_opened) {
    fill(files_, 3);
    auto away = cluster_;
    away.server->addresses = {{folder_.path(), 5432}};
    EXPECT_TRUE(fails_with(copy_store(files_, away), StoreError::unreachable));
    auto nothing = files_;
    nothing.create = false;
    nothing.file = folder_.file("none.db");
    EXPECT_TRUE(fails_with(copy_store(nothing, cluster_), StoreError::not_found));
    EXPECT_EQ(count(files_, k_count), 3);
}

TEST(TableTexts, name_every_table_of_the_data_map_but_none_else) {
    for (const auto kind : {StoreKind::store, StoreKind::keyring, StoreKind::index}) {
        EXPECT_GT(table_texts(kind).size(), 1U);
        for (const auto& table : table_texts(kind)) {
            EXPECT_NE(table.name, "schema_migrations");
            EXPECT_NE(table.insert.view().find(table.name), std::string_view::npos);
            EXPECT_GT(table.key_columns, 0U);
        }
    }
}

}  // namespace
}  // namespace postern::store
