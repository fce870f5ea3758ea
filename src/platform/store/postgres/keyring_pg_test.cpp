#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/move.h"
#include "platform/store/pause.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::store {
namespace {

using Settings = std::vector<std::string>;

constexpr SqlText k_add =
    "INSERT INTO subject_keys (workspace_id, creator_id, purpose, wrap) "
    "VALUES ($1, $2, $3, $4)";
constexpr SqlText k_remove = "DELETE FROM subject_keys WHERE purpose = $1";

class PostgresKeyring : public testing::Test {
protected:
    static void SetUpTestSuite() {
        cluster_ = std::make_unique<ScratchCluster>(Settings{"wal_recycle=off"});
        cluster_->sql({"CREATE DATABASE keyring", "CREATE ROLE keeper LOGIN",
                       "GRANT pg_checkpoint, pg_read_all_stats TO keeper",
                       "GRANT CREATE ON DATABASE keyring TO keeper"});
        // Rights on functions are a database's own.
        cluster_->sql({"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO keeper"}, "keyring");
    }
    static void TearDownTestSuite() { cluster_.reset(); }
    static Database::Options options() {
        Database::Options options;
        options.kind = StoreKind::keyring;
        options.server = cluster_->server("keyring");
        options.server->user = "keeper";
        options.create = true;
        options.readers = 1;
        options.busy_timeout = std::chrono::milliseconds(500);
        return options;
    }
    /// In how many files of the cluster, heap and log alike, the bytes stand.
    static int files_with(const Bytes& wrap) {
        int hits = 0;
        const auto needle = std::string(as_text(wrap).substr(0, 24));
        std::error_code ignored;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(cluster_->data(), ignored)) {
            if (!entry.is_regular_file(ignored)) continue;
            if (content_of(entry.path()).find(needle) != std::string::npos) ++hits;
        }
        return hits;
    }
    static Bytes random_wrap(std::mt19937& random) {
        Bytes bytes(72);
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random());
        return bytes;
    }

    static inline std::unique_ptr<ScratchCluster> cluster_;
};

TEST_F(PostgresKeyring, leaves_a_destroyed_wrap_in_neither_heap_nor_log) {
    const auto database = open_or_fail(options());
    std::mt19937 random(5);
    std::vector<std::pair<std::int64_t, Bytes>> wraps;
    const auto filled = database->write_now([&](Transaction& t) -> Result<> {
        for (std::int64_t number = 0; number < 300; ++number) {
            wraps.emplace_back(number, random_wrap(random));
            const SealedBytes wrap(wraps.back().second);
            t.execute_later(k_add, {k_installation, CreatorId::make(number + 1), number, wrap});
        }
        return {};
    });
    ASSERT_TRUE(filled);
    cluster_->sql({"CHECKPOINT", "ANALYZE postern_keyring.subject_keys"}, "keyring");
    ASSERT_GE(files_with(wraps[7].second), 2) << "in heap and log";
    ASSERT_TRUE(database->write_now([&](Transaction& t) -> Result<> {
        for (std::int64_t number = 0; number < 300; number += 2)
            t.execute_later(k_remove, {number});
        return {};
    }));
    EXPECT_GE(files_with(wraps[8].second), 1) << "deleted is not destroyed";
    const auto purged = database->checkpoint_truncate_now();
    ASSERT_TRUE(purged) << purged.error().detail();
    for (const auto& [number, wrap] : wraps) {
        const int hits = files_with(wrap);
        if (number % 2 == 0) {
            EXPECT_EQ(hits, 0) << number;
        } else {
            EXPECT_GE(hits, 1) << number << ": what lives is there";
        }
        if (number > 20) break;
    }
}

TEST_F(PostgresKeyring, says_busy_and_not_done_while_an_old_snapshot_would_keep_rows) {
    const auto database = open_or_fail(options());
    auto other = postgres::connect(
        {.server = *options().server, .kind = StoreKind::index, .access = Access::read});
    ASSERT_TRUE(other);
    ASSERT_TRUE((*other)->begin(Access::read));
    ASSERT_TRUE((*other)->query("SELECT 1", {}));
    const auto writer = postgres::connect(
        {.server = *options().server, .kind = StoreKind::keyring, .access = Access::read});
    ASSERT_TRUE(writer);
    const auto soon = Deadline::in(std::chrono::milliseconds(50));
    EXPECT_TRUE(fails_with((*writer)->purge(Purge::rewrite, soon), StoreError::busy));
    (*other)->rollback();
    EXPECT_TRUE(database->checkpoint_truncate_now());
}

TEST_F(PostgresKeyring, refuses_a_cluster_that_would_keep_what_is_destroyed) {
    const auto refused_with = [](const std::string& setting, const std::string& word) {
        cluster_->sql({"ALTER SYSTEM SET " + setting, "SELECT pg_reload_conf()"});
        // The reload is a signal: it has come when a new session sees it.
        const auto name = setting.substr(0, setting.find(' '));
        auto opened = Database::open(options());
        for (int tries = 0; opened && tries < 200; ++tries) {
            opened->reset();
            pause(std::chrono::milliseconds(10));
            opened = Database::open(options());
        }
        EXPECT_TRUE(fails_with(opened, StoreError::unsuitable)) << setting;
        if (!opened) {
            EXPECT_NE(opened.error().detail().find(word), std::string::npos)
                << opened.error().detail();
        }
        cluster_->sql({"ALTER SYSTEM RESET " + name, "SELECT pg_reload_conf()"});
        for (int tries = 0; tries < 200 && !Database::open(options()); ++tries)
            pause(std::chrono::milliseconds(10));
    };
    refused_with("wal_keep_size = 64", "wal_keep_size");
    refused_with("log_statement = 'all'", "log_parameter_max_length");
    refused_with("log_parameter_max_length_on_error = 100", "on_error");
    cluster_->sql({"SELECT pg_create_physical_replication_slot('copy', true)"});
    EXPECT_TRUE(fails_with(Database::open(options()), StoreError::unsuitable));
    auto shared = options();
    shared.server->may_keep_destroyed = true;
    EXPECT_TRUE(Database::open(shared)) << "by the operator's own word";
    cluster_->sql({"SELECT pg_drop_replication_slot('copy')"});
    EXPECT_TRUE(Database::open(options()));
    cluster_->sql({"REVOKE pg_checkpoint FROM keeper"});
    EXPECT_TRUE(fails_with(Database::open(options()), StoreError::unsuitable));
    cluster_->sql({"GRANT pg_checkpoint TO keeper"});
}

TEST_F(PostgresKeyring, goes_on_in_a_cluster_that_stopped_fitting_but_for_the_purge) {
    auto existing = options();
    open_or_fail(existing);
    existing.create = false;
    auto database = open_or_fail(existing);
    const auto remove = [&](std::int64_t number) {
        return database->write_now([=](Transaction& t) { return t.execute(k_remove, {number}); });
    };
    cluster_->sql({"SELECT pg_create_physical_replication_slot('copy', true)"});
    cluster_->sql(
        {"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
         "application_name LIKE 'postern%'"});
    EXPECT_TRUE(remove(1)) << "what is cut off is cut off";
    EXPECT_TRUE(fails_with(database->checkpoint_truncate_now(), StoreError::unsuitable));
    EXPECT_TRUE(remove(2));
    EXPECT_TRUE(fails_with(check_target(existing), StoreError::unsuitable));
    cluster_->sql({"SELECT pg_drop_replication_slot('copy')"});
    EXPECT_TRUE(database->checkpoint_truncate_now());
}

TEST_F(PostgresKeyring, refuses_a_cluster_whose_log_somebody_is_sent) {
    const auto database = open_or_fail(options());
    ASSERT_TRUE(database->checkpoint_truncate_now());
    const auto senders = [](const char* wanted) {
        for (int tries = 0; tries < 1000; ++tries) {
            if (cluster_->sql({"SELECT count(*) FROM pg_stat_replication"}) == wanted) return true;
            pause(std::chrono::milliseconds(10));
        }
        return false;
    };
    {
        const ScratchCluster standby(ScratchCluster::Follows{*cluster_});
        ASSERT_TRUE(senders("1\n")) << "without a slot";
        EXPECT_TRUE(fails_with(database->checkpoint_truncate_now(), StoreError::unsuitable));
        EXPECT_TRUE(fails_with(check_target(options()), StoreError::unsuitable));
    }
    ASSERT_TRUE(senders("0\n"));
    EXPECT_TRUE(database->checkpoint_truncate_now());
}

TEST_F(PostgresKeyring, answers_at_once_where_an_old_snapshot_is_held_for_long) {
    const auto database = open_or_fail(options());
    auto other = postgres::connect(
        {.server = *options().server, .kind = StoreKind::index, .access = Access::read});
    ASSERT_TRUE(other);
    ASSERT_TRUE((*other)->begin(Access::read));
    ASSERT_TRUE((*other)->query("SELECT 1", {}));
    const auto soon = Deadline::in(std::chrono::seconds(5));
    EXPECT_TRUE(fails_with(database->checkpoint_truncate_now(), StoreError::busy));
    EXPECT_FALSE(soon.passed()) << "it is not waited for";
    (*other)->rollback();
    EXPECT_TRUE(database->checkpoint_truncate_now());
}

}  // namespace
}  // namespace postern::store
