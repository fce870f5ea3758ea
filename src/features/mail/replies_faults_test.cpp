#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/replies.h"
#include "features/mail/replies_lab_fake.h"
#include "foundation/base/result.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <vector>

/// Whatever fails while a search is taken in: the cursor stands until all of it is stored, and
/// another look stores each mail once.
namespace postern::mail::test {
namespace {

using store::SqlText;

class RepliesFaultsTest : public RepliesLab {
protected:
    RepliesFaultsTest() {
        for (const std::uint32_t uid : {100, 102})
            courier.mails[{"INBOX", uid}] = "mail " + std::to_string(uid);
    }
    /// An answer, a mail to be held, another answer, and one that is not ours.
    std::vector<Candidate> found() {
        std::vector<Candidate> out{reply(100), reply(101), reply(102), reply(103)};
        out[1].from = {{"Eve", "eve@evil.example"}};
        out[3].our_ids = {altered(our_id(thread))};
        return out;
    }
    void expect_nothing_settled() {
        EXPECT_EQ(next_uid(), 0U);
        for (const auto& line : ledger())
            EXPECT_EQ(line, "fetch_body verified_reply");
        EXPECT_LE(messages(thread).size(), 2U);
        for (const auto& row : messages(thread))
            EXPECT_EQ(raw_of(row).starts_with("mail 10"), true);
    }
    void expect_everything_once() {
        EXPECT_EQ(messages(thread).size(), 2U);
        EXPECT_EQ(held().size(), 1U);
        EXPECT_EQ(next_uid(), 104U);
        EXPECT_EQ(ledger(), (Texts{"fetch_body verified_reply", "fetch_body verified_reply",
                                   "search new_mail"}));
        auto events_told = told();
        EXPECT_EQ(events_told.size(), 3U);
    }
    /// As new: a store of its own for each fault.
    void forget() {
        write([&](store::Transaction& tx) -> Result<> {
            for (const auto& sql : k_forget) {
                POSTERN_TRY([[maybe_unused]] const auto gone, tx.execute(sql));
            }
            return {};
        });
        begin();
    }

    static constexpr SqlText k_forget[] = {"DELETE FROM messages",  "DELETE FROM message_wraps",
                                           "DELETE FROM raw_mails", "DELETE FROM read_ledger",
                                           "DELETE FROM cursors",   "DELETE FROM held_mails",
                                           "DELETE FROM events"};
};

TEST_F(RepliesFaultsTest, whichever_call_to_others_fails) {
    const auto before = steps.taken;
    ASSERT_TRUE(take(found()));
    const auto calls = steps.taken - before;
    expect_everything_once();
    ASSERT_GE(calls, 20);
    int errors = 0;
    for (int bad = 1; bad <= calls; ++bad) {
        SCOPED_TRACE("call " + std::to_string(bad));
        forget();
        const auto base = steps.taken;
        steps.fails = [base, bad](int step) { return step == base + bad; };
        const auto taken = take(found());
        steps.fails = nullptr;
        if (!taken) {
            ++errors;
            expect_nothing_settled();
            ASSERT_TRUE(take(found()));
        }
        expect_everything_once();
    }
    EXPECT_EQ(errors, calls);
}

TEST_F(RepliesFaultsTest, whenever_the_store_goes_away) {
    const auto before = steps.taken;
    ASSERT_TRUE(take(found()));
    const auto calls = steps.taken - before;
    for (int bad = 1; bad <= calls; ++bad) {
        SCOPED_TRACE("call " + std::to_string(bad));
        forget();
        const auto base = steps.taken;
        steps.fails = [this, base, bad](int step) {
            if (step == base + bad) database->close();
            return false;
        };
        EXPECT_FALSE(take(found()));
        steps.fails = nullptr;
        stop();
        open_store();
        begin();
        expect_nothing_settled();
        ASSERT_TRUE(take(found()));
        expect_everything_once();
    }
}

struct Refusal {
    const char* what;
    store::EngineText begin;
    store::EngineText end;
};
constexpr Refusal k_refusals[] = {
    {"message",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON messages"}},
    {"wrap",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON message_wraps BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE INSERT ON message_wraps FOR EACH ROW EXECUTE FUNCTION "
         "refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON message_wraps"}},
    {"raw mail",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON raw_mails BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE INSERT ON raw_mails FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON raw_mails"}},
    {"second raw mail",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON raw_mails WHEN (SELECT COUNT(*) FROM raw_mails) = 1 "
         "BEGIN SELECT RAISE(ABORT, 'lab'); END",
         "CREATE UNIQUE INDEX lab ON raw_mails ((1))"},
     store::EngineText{"DROP TRIGGER lab", "DROP INDEX lab"}},
    {"ledger",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON read_ledger BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE INSERT ON read_ledger FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON read_ledger"}},
    {"thread",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE UPDATE ON threads BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE UPDATE ON threads FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON threads"}},
    {"event",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON events"}},
    {"held mail",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON held_mails BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE INSERT ON held_mails FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON held_mails"}},
    {"cursor",
     store::EngineText{
         "CREATE TRIGGER lab BEFORE INSERT ON cursors BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER lab BEFORE INSERT ON cursors FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER lab", "DROP TRIGGER lab ON cursors"}},
};

TEST_F(RepliesFaultsTest, whichever_row_is_refused) {
    const auto execute = [this](SqlText sql) {
        write([sql](store::Transaction& tx) -> Result<> {
            POSTERN_TRY([[maybe_unused]] const auto changed, tx.execute(sql));
            return {};
        });
    };
    for (const auto& refusal : k_refusals) {
        SCOPED_TRACE(refusal.what);
        forget();
        execute(refusal.begin);
        EXPECT_FALSE(take(found()));
        expect_nothing_settled();
        execute(refusal.end);
        ASSERT_TRUE(take(found()));
        expect_everything_once();
    }
}

TEST_F(RepliesFaultsTest, accepting_stores_all_of_a_mail_or_nothing) {
    auto stranger = reply(100);
    stranger.from = {{"Eve", "eve@evil.example"}};
    ASSERT_TRUE(take({stranger}));
    const auto id = held().at(0).id;
    int errors = 0;
    for (int bad = 1; messages(thread).empty(); ++bad) {
        SCOPED_TRACE("call " + std::to_string(bad));
        const auto base = steps.taken;
        steps.fails = [base, bad](int step) { return step == base + bad; };
        const auto accepted = run(replies->accept_held(k_by, host(workspace), id));
        steps.fails = nullptr;
        ASSERT_EQ(accepted.has_value(), !messages(thread).empty());
        EXPECT_EQ(held().empty(), accepted.has_value());
        errors += accepted ? 0 : 1;
        ASSERT_LT(bad, 100);
    }
    EXPECT_GE(errors, 6);
}

}  // namespace
}  // namespace postern::mail::test
