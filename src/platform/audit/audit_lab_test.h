#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/manual_clock_test.h"
#include "platform/audit/audit_log.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/net/test_loop.h"
#include "platform/store/scratch_store_test.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::audit::test {

using store::Clear;
using store::SqlText;
using store::Transaction;

class PlayedKeeper final : public keys::test::PlayedPeer {
public:
    explicit PlayedKeeper(net::test::Loop& loop) : PlayedPeer(loop) {
        router_.on<keys::OpenAuditSegment>([this](keys::OpenAuditSegment ask) {
            ++segments;
            return keys::test::answer(std::move(ask));
        });
        router_.on<keys::CheckAuditMacs>(
            [this](keys::CheckAuditMacs ask) { return check(std::move(ask)); });
        router_.on<keys::MarkAudit>(
            [](keys::MarkAudit ask) { return keys::test::answer(std::move(ask)); });
        router_.on<keys::CheckAuditMarks>(
            [this](keys::CheckAuditMarks ask) { return check_marks(std::move(ask)); });
        router_.on<keys::SealRecords>([this](keys::SealRecords ask) {
            ++sealed;
            return keys::test::answer(std::move(ask));
        });
        router_.on<keys::OpenRecords>(
            [](keys::OpenRecords ask) { return keys::test::answer(std::move(ask)); });
    }
    int segments = 0;
    int sealed = 0;
    bool believes_everything = false;

private:
    async::Task<keys::CheckAuditMacs::Answer> check(keys::CheckAuditMacs ask) {
        if (!believes_everything) co_return keys::test::played(ask);
        co_return keys::CheckAuditMacs::Answer{static_cast<std::uint32_t>(ask.macs.size())};
    }
    async::Task<keys::CheckAuditMarks::Answer> check_marks(keys::CheckAuditMarks ask) {
        if (!believes_everything) co_return keys::test::played(ask);
        co_return keys::CheckAuditMarks::Answer{Bytes(ask.marks.size(), 1)};
    }
};

class AuditLab : public testing::Test {
protected:
    AuditLab() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        database = store::open_or_fail(options);
        restart();
    }
    void restart() {
        log = std::make_unique<AuditLog>(AuditLog::Parts{*database, keeper.link, clock});
    }
    template <typename F>
    auto record(F body, std::vector<WorkspaceId> where) {
        Act act{{By::Kind::token, "tok_1", "192.0.2.7"}, "token.created", {{"role", "owner"}}};
        return loop.run(log->record(std::move(where), std::move(act), std::move(body)));
    }
    Result<> record() {
        return record([](Transaction&) { return Result<>{}; }, {workspace});
    }
    void write_some(int count) {
        for (int i = 0; i < count; ++i)
            ASSERT_TRUE(record());
    }
    Verification verify(WorkspaceId of) { return loop.run(log->verify(of)).value(); }
    Verification verify() { return verify(workspace); }
    std::vector<Record> list(std::int64_t before = 0, std::int64_t limit = 100) {
        Search asked;
        asked.before = before;
        return loop.run(log->search(workspace, asked, limit)).value().records;
    }
    /// As somebody does who has the store and no key.
    void tamper(SqlText sql, std::initializer_list<store::Value> values = {}) {
        ASSERT_TRUE(database->write_now(
            [&](Transaction& tx) { return store::done(tx.execute(sql, values)); }));
    }
    void expect_broken_at(std::int64_t number, std::string_view fault) {
        const auto found = verify();
        EXPECT_EQ(found.broken_at, number);
        EXPECT_EQ(found.records, number - 1);
        EXPECT_EQ(found.fault, fault);
    }

    store::TestFolder folder;
    postern::test::ManualClock clock;
    net::test::Loop loop;
    PlayedKeeper keeper{loop};
    std::unique_ptr<store::Database> database;
    std::unique_ptr<AuditLog> log;
    WorkspaceId workspace = WorkspaceId::make(1'000);
    WorkspaceId other = WorkspaceId::make(2'000);
};

}  // namespace postern::audit::test
