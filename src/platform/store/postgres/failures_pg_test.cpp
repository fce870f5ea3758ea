#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/pause.h"
#include "platform/store/postgres/cutting_proxy_test.h"
#include "platform/store/run_transaction.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/server.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace postern::store {
namespace {

using Settings = std::vector<std::string>;

using Cut = CuttingProxy::Cut;

constexpr const char* k_end_sessions =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'postern%'";

/// A cluster of its own that really syncs: it is stopped, started and crashed.
class PostgresFailures : public testing::Test {
protected:
    static void SetUpTestSuite() {
        cluster_ =
            std::make_unique<ScratchCluster>(Settings{"max_wal_size=128MB", "autovacuum=off"});
    }
    static void TearDownTestSuite() { cluster_.reset(); }
    void SetUp() override {
        name_ = "f" + std::to_string(++databases_);
        cluster_->sql({"CREATE DATABASE " + name_});
        database_ = open_or_fail(options(cluster_->server(name_)));
    }
    Database::Options options(Server server) {
        Database::Options options;
        options.server = std::move(server);
        options.create = true;
        options.readers = 1;
        options.migrations = k_test_migrations;
        return options;
    }
    Result<std::int64_t> add(std::int64_t number) {
        return database_->write_now([=](Transaction& t) { return add_note(t, number); });
    }
    void end_sessions() { cluster_->sql({k_end_sessions}); }

    static inline std::unique_ptr<ScratchCluster> cluster_;
    static inline int databases_ = 0;
    std::string name_;
    std::unique_ptr<Database> database_;
};

TEST_F(PostgresFailures, goes_on_when_its_sessions_were_ended) {
    ASSERT_TRUE(add(1));
    ASSERT_EQ(count_notes(*database_), 1);
    end_sessions();
    EXPECT_EQ(count_notes(*database_), 1);
    EXPECT_TRUE(add(2));
    end_sessions();
    EXPECT_TRUE(add(3));
    EXPECT_TRUE(fails_with(add(3), StoreError::conflict));
    EXPECT_EQ(count_notes(*database_), 3);
}

TEST_F(PostgresFailures, runs_the_whole_body_again_when_its_session_was_ended_in_the_middle) {
    int runs = 0;
    const auto done = database_->write_now([&](Transaction& t) -> Result<std::int64_t> {
        POSTERN_TRY([[maybe_unused]] const auto first, add_note(t, 1));
        if (++runs == 1) end_sessions();
        return add_note(t, 2);
    });
    EXPECT_TRUE(done);
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(count_notes(*database_), 2);
}

TEST_F(PostgresFailures, gives_up_when_every_run_loses_its_session) {
    int runs = 0;
    const auto done = database_->write_now([&](Transaction& t) -> Result<std::int64_t> {
        POSTERN_TRY([[maybe_unused]] const auto first, add_note(t, 1));
        ++runs;
        end_sessions();
        return add_note(t, 2);
    });
    EXPECT_TRUE(fails_with(done, StoreError::connection_lost));
    EXPECT_EQ(runs, k_transaction_tries);
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(PostgresFailures, answers_in_words_while_the_server_is_away_and_loses_nothing) {
    for (const int signal : {SIGINT, SIGQUIT}) {
        const auto before = count_notes(*database_);
        ASSERT_TRUE(add(before));
        cluster_->stop(signal);
        const auto refused = add(before + 1);
        ASSERT_TRUE(fails_with(refused, StoreError::unreachable));
        EXPECT_EQ(refused.error().code(), "store_unreachable");
        EXPECT_EQ(count_notes(*database_), -1);
        cluster_->start();
        Result<std::int64_t> added = add(before + 1);
        for (int tries = 0; !added && tries < 100; ++tries) {
            pause(std::chrono::milliseconds(50));
            added = add(before + 1);
        }
        EXPECT_TRUE(added);
        EXPECT_EQ(count_notes(*database_), before + 2);
    }
}

TEST_F(PostgresFailures, runs_again_when_another_transaction_was_in_the_way) {
    ASSERT_TRUE(add(1));
    int runs = 0;
    const auto done = database_->write_now([&](Transaction& t) -> Result<std::int64_t> {
        POSTERN_TRY([[maybe_unused]] const auto row, t.query_one(k_count_notes));
        if (++runs == 1) cluster_->sql({"UPDATE postern_store.notes SET body = '\\x01'"}, name_);
        return t.execute("UPDATE notes SET body = NULL");
    });
    EXPECT_TRUE(done);
    EXPECT_EQ(runs, 2);
}

TEST_F(PostgresFailures, gives_up_when_another_transaction_is_always_in_the_way) {
    ASSERT_TRUE(add(1));
    int runs = 0;
    const auto done = database_->write_now([&](Transaction& t) -> Result<std::int64_t> {
        POSTERN_TRY([[maybe_unused]] const auto row, t.query_one(k_count_notes));
        ++runs;
        cluster_->sql({"UPDATE postern_store.notes SET body = '\\x01'"}, name_);
        return t.execute("UPDATE notes SET body = NULL");
    });
    EXPECT_TRUE(fails_with(done, StoreError::overtaken));
    EXPECT_EQ(done.error().code(), "store_busy");
    EXPECT_EQ(runs, k_transaction_tries);
}

TEST_F(PostgresFailures, refuses_a_second_opening_when_the_store_is_in_use) {
    auto second = options(cluster_->server(name_));
    second.busy_timeout = std::chrono::milliseconds(50);
    EXPECT_TRUE(fails_with(Database::open(second), StoreError::in_use));
    database_->close();
    EXPECT_TRUE(Database::open(second));
}

TEST_F(PostgresFailures, names_what_is_wrong_when_it_cannot_be_opened) {
    auto none = options(cluster_->server("nowhere"));
    EXPECT_TRUE(fails_with(Database::open(none), StoreError::not_found));
    auto nobody = options(cluster_->server(name_));
    nobody.server->user = "nobody";
    EXPECT_TRUE(fails_with(Database::open(nobody), StoreError::login_refused));
    auto away = options(cluster_->server(name_));
    away.server->addresses = {{cluster_->folder(), 5999}};
    EXPECT_TRUE(fails_with(Database::open(away), StoreError::unreachable));
    cluster_->sql({"CREATE DATABASE foreign_one", "CREATE DATABASE empty_one",
                   "CREATE DATABASE latin ENCODING latin1 TEMPLATE template0"});
    cluster_->sql({"CREATE SCHEMA postern_store", "CREATE TABLE postern_store.t (n int)"},
                  "foreign_one");
    EXPECT_TRUE(fails_with(Database::open(options(cluster_->server("foreign_one"))),
                           StoreError::not_a_store));
    auto empty = options(cluster_->server("empty_one"));
    empty.create = false;
    EXPECT_TRUE(fails_with(Database::open(empty), StoreError::not_found));
    EXPECT_TRUE(
        fails_with(Database::open(options(cluster_->server("latin"))), StoreError::unsuitable));
}

TEST_F(PostgresFailures, refuses_a_cluster_that_does_not_sync) {
    const auto set = [](const char* to) {
        cluster_->sql({std::string("ALTER SYSTEM SET fsync = ") + to, "SELECT pg_reload_conf()"});
        // The reload is a signal: it has come when a new session sees it.
        const auto wanted = std::string(to) + "\n";
        while (cluster_->sql({"SELECT current_setting('fsync')"}) != wanted)
            pause(std::chrono::milliseconds(10));
    };
    set("off");
    for (const auto kind : {StoreKind::store, StoreKind::keyring, StoreKind::index}) {
        auto unsafe = options(cluster_->server(name_));
        unsafe.kind = kind;
        unsafe.migrations.reset();
        unsafe.server->may_keep_destroyed = true;
        if (kind == StoreKind::store) database_.reset();
        EXPECT_TRUE(fails_with(Database::open(unsafe), StoreError::unsuitable));
    }
    set("on");
    EXPECT_TRUE(Database::open(options(cluster_->server(name_))));
}

TEST_F(PostgresFailures, keeps_the_index_apart_and_empty_after_a_crash) {
    auto index = options(cluster_->server(name_));
    index.kind = StoreKind::index;
    index.migrations.reset();
    auto opened = open_or_fail(index);
    const auto set = [&] {
        return opened->write_now([](Transaction& t) {
            return t.execute("INSERT INTO meta (workspace_id, name, value) VALUES ($1, 'a', $1)",
                             {k_installation});
        });
    };
    ASSERT_TRUE(set());
    EXPECT_TRUE(fails_with(set(), StoreError::conflict));
    cluster_->restart(SIGQUIT);
    auto again = set();
    for (int tries = 0; !again && tries < 100; ++tries) {
        pause(std::chrono::milliseconds(50));
        again = set();
    }
    EXPECT_TRUE(again) << "an UNLOGGED table is emptied";
    opened.reset();
    EXPECT_TRUE(Database::open(index)) << "and the list of migrations is not";
}

TEST_F(PostgresFailures, answers_disk_full_and_works_on_when_there_is_room_again) {
    const auto disk = cluster_->folder() + "/small";
    std::filesystem::create_directory(disk);
    if (::mount("postern-test", disk.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=24m") != 0)
        GTEST_SKIP() << "cannot mount a tmpfs: " << ::strerrordesc_np(errno);
    cluster_->give(disk);
    cluster_->sql({"CREATE TABLESPACE small LOCATION '" + disk + "'"});
    cluster_->sql({"CREATE DATABASE full_one TABLESPACE small"});
    auto full = open_or_fail(options(cluster_->server("full_one")));
    std::mt19937 random(3);
    Bytes noise(60'000);
    for (auto& byte : noise)
        byte = static_cast<std::uint8_t>(random());
    const SealedBytes body(noise);
    Result<std::int64_t> added = 0;
    std::int64_t rows = 0;
    for (; added && rows < 1000; ++rows)
        added = full->write_now([&](Transaction& t) { return add_note(t, rows, body); });
    EXPECT_TRUE(fails_with(added, StoreError::disk_full));
    EXPECT_EQ(count_notes(*full), rows - 1) << "what was acknowledged, and no more";
    ASSERT_EQ(::mount("postern-test", disk.c_str(), "tmpfs", MS_REMOUNT, "size=48m"), 0);
    EXPECT_TRUE(full->write_now([&](Transaction& t) { return add_note(t, rows, body); }));
    full.reset();
    cluster_->sql({"DROP DATABASE full_one WITH (FORCE)", "DROP TABLESPACE small"});
    ::umount2(disk.c_str(), MNT_DETACH);
}

TEST_F(PostgresFailures, goes_on_at_another_address_when_that_one_is_promoted) {
    const auto primary = std::make_unique<ScratchCluster>(Settings{"autovacuum=off"});
    primary->sql({"CREATE DATABASE moving"});
    ScratchCluster standby(ScratchCluster::Follows{*primary});
    primary->sql({"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"});
    auto server = primary->server("moving");
    server.addresses.insert(server.addresses.begin(), {standby.folder(), 5432});
    const auto moving = open_or_fail(options(server));
    const auto put = [&](std::int64_t number) {
        return moving->write_now([=](Transaction& t) { return add_note(t, number); });
    };
    for (std::int64_t number = 0; number < 20; ++number)
        ASSERT_TRUE(put(number));
    primary->stop(SIGQUIT);
    EXPECT_TRUE(fails_with(put(20), StoreError::unreachable)) << "a standby takes no writes";
    standby.sql({"SELECT pg_promote()"});
    auto added = put(20);
    for (int tries = 0; !added && tries < 100; ++tries) {
        pause(std::chrono::milliseconds(50));
        added = put(20);
    }
    EXPECT_TRUE(added);
    EXPECT_EQ(count_notes(*moving), 21) << "all that was acknowledged is there";
}

/// The same store, reached through a proxy that breaks commits.
class PostgresCommit : public PostgresFailures {
protected:
    void SetUp() override {
        PostgresFailures::SetUp();
        database_.reset();
        proxy_ = std::make_unique<CuttingProxy>(cluster_->folder() + "/" + name_ + "p",
                                                cluster_->folder());
        auto server = cluster_->server(name_);
        server.addresses = {{proxy_->folder(), 5432}};
        auto quick = options(std::move(server));
        quick.busy_timeout = std::chrono::milliseconds(500);
        database_ = open_or_fail(quick);
        // So that the next commit is the first of its session, and its words are on the wire.
        end_sessions();
    }
    /// Written how often, and in how many runs of the body.
    Result<std::int64_t> add_counted(std::int64_t number) {
        return database_->write_now([=, this](Transaction& t) {
            ++runs_;
            return add_note(t, number);
        });
    }
    std::unique_ptr<CuttingProxy> proxy_;
    int runs_ = 0;
};

TEST_F(PostgresCommit, is_made_again_when_the_server_never_got_it) {
    proxy_->arm(Cut::before);
    EXPECT_TRUE(add_counted(1));
    EXPECT_EQ(proxy_->cuts(), 1);
    EXPECT_GE(runs_, 2);
    EXPECT_EQ(count_notes(*database_), 1);
}

TEST_F(PostgresCommit, is_not_made_again_when_only_its_answer_was_lost) {
    ASSERT_TRUE(add(9));
    end_sessions();
    ASSERT_EQ(count_notes(*database_), 1);
    // The first run finds its session ended; the second is cut.
    proxy_->arm(Cut::after_answer);
    EXPECT_TRUE(add_counted(1));
    EXPECT_EQ(proxy_->cuts(), 1);
    EXPECT_LE(runs_, 2);
    EXPECT_EQ(count_notes(*database_), 2);
    EXPECT_TRUE(fails_with(add(1), StoreError::conflict));
}

TEST_F(PostgresCommit, is_told_as_unknown_and_not_run_again_when_nobody_can_say) {
    (void)count_notes(*database_);
    proxy_->arm(Cut::after_answer, true);
    const auto done = add_counted(1);
    ASSERT_TRUE(fails_with(done, StoreError::outcome_unknown));
    EXPECT_EQ(done.error().code(), "store_outcome_unknown");
    EXPECT_LE(runs_, 2);
    EXPECT_EQ(cluster_->sql({"SELECT count(*) FROM postern_store.notes"}, name_), "1\n")
        << "this one was written";
}

TEST_F(PostgresCommit, is_made_again_when_the_server_does_not_know_that_the_connection_broke) {
    (void)count_notes(*database_);
    proxy_->arm(Cut::silently);
    const auto soon = Deadline::in(std::chrono::seconds(10));
    const auto done = add_counted(1);
    EXPECT_TRUE(done) << done.error().code();
    EXPECT_FALSE(soon.passed());
    EXPECT_EQ(proxy_->cuts(), 1);
    EXPECT_EQ(count_notes(*database_), 1);
}

}  // namespace
}  // namespace postern::store
