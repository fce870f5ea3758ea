#include "features/mail/watches.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/replies.h"
#include "features/mail/send_outcome.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/keys/key_error.h"

#include <gtest/gtest.h>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {
namespace {

using store::fails_with;
using namespace std::chrono_literals;

class WatchesTest : public MailLab {
protected:
    ~WatchesTest() override { stop(); }

    void begin() {
        replies = std::make_unique<Replies>(parts());
        watches = std::make_unique<Watches>(parts(), *replies);
        ASSERT_TRUE(run(watches->start()));
        settle();
    }
    void changed() {
        watches->mailbox_changed(workspace, integration);
        settle();
    }
    void close(Error why) { mailboxes.closed.insert_or_assign(integration, std::move(why)); }
    Result<> until_watching() {
        return run(watches->until_watching(workspace, integration, Deadline::in(20s)));
    }
    /// The shortest pause is a quarter of a second: what follows, follows by itself.
    void until_watched(std::size_t times) {
        until([this, times] { return courier.watched.size() >= times; });
        settle();
    }

    std::unique_ptr<Replies> replies;
    std::unique_ptr<Watches> watches;
};

IntegrationId ending_in(std::uint8_t last) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = last;
    return IntegrationId(bytes);
}

TEST(WatchPause, doubles_up_to_five_minutes) {
    const std::pair<std::int64_t, std::chrono::milliseconds> cases[] = {
        {0, 250ms}, {1, 500ms}, {2, 1s}, {9, 128s}, {10, 150s}, {12, 150s}, {1'000'000, 150s}};
    for (const auto& [failures, pause] : cases)
        EXPECT_EQ(watch_pause(failures, ending_in(0)), pause) << failures;
}

TEST(WatchPause, differs_by_mailbox_but_never_beyond_its_length) {
    EXPECT_LT(watch_pause(0, ending_in(1)), watch_pause(0, ending_in(200)));
    for (const std::int64_t failures : {0, 3, 40}) {
        const auto shortest = watch_pause(failures, ending_in(0));
        EXPECT_GT(shortest, 0ms);
        EXPECT_LT(watch_pause(failures, ending_in(255)), 2 * shortest);
    }
}

TEST_F(WatchesTest, every_active_mailbox_is_watched) {
    add_mailbox(other_integration, other_workspace);
    const IntegrationId ended = IntegrationId::make(5);
    add_mailbox(ended, workspace);
    mailboxes.all[ended].cut_off = true;
    begin();
    ASSERT_EQ(courier.watched.size(), 2U);
    EXPECT_EQ(watches->count(), 2U);
    EXPECT_TRUE(watches->watching(integration));
    EXPECT_TRUE(watches->watching(other_integration));
    EXPECT_FALSE(watches->watching(ended));
    for (const auto& [id, verb] : mailboxes.tickets)
        EXPECT_EQ(verb, MailVerb::read_replies);
}

TEST_F(WatchesTest, watch_has_ticket_label_and_the_cursors_there_are) {
    begin();
    ASSERT_EQ(courier.watched.size(), 1U);
    EXPECT_EQ(as_text(courier.watched[0].ticket), "ticket 1");
    EXPECT_EQ(courier.watched[0].integration, integration);
    EXPECT_EQ(courier.watched[0].search_label, k_label);
    EXPECT_TRUE(courier.watched[0].cursors.empty());
    EXPECT_EQ(courier.watched[0].seen_at_ms, 0);
    const auto seen_at = clock.now;
    clock.now += 1000;
    EXPECT_EQ(ledger(), std::vector<std::string>{"sign_in watch"});
    watches->ended(integration, MailError::use_ended);
    settle();
    ASSERT_EQ(courier.watched.size(), 2U);
    ASSERT_EQ(courier.watched[1].cursors.size(), 1U);
    EXPECT_EQ(courier.watched[1].cursors[0].folder, "INBOX");
    EXPECT_EQ(courier.watched[1].cursors[0].uid_validity, 7U);
    EXPECT_EQ(courier.watched[1].cursors[0].next_uid, 100U);
    EXPECT_EQ(courier.watched[1].seen_at_ms, seen_at);
}

TEST_F(WatchesTest, first_watch_looks_back_to_the_first_thread) {
    add_thread({{"Lea", "lea@creators.example"}});
    const auto started_at = clock.now;
    clock.now += 60'000;
    add_thread({{"Noa", "noa@creators.example"}});
    begin();
    ASSERT_EQ(courier.watched.size(), 1U);
    EXPECT_EQ(courier.watched[0].seen_at_ms, started_at);
}

TEST_F(WatchesTest, mailbox_that_only_sends_is_not_watched_until_it_reads) {
    mailboxes.all[integration].reads_replies = false;
    begin();
    changed();
    EXPECT_TRUE(courier.watched.empty());
    EXPECT_TRUE(mailboxes.tickets.empty());
    EXPECT_FALSE(until_watching());
    mailboxes.all[integration].reads_replies = true;
    changed();
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, sealed_mailbox_waits_for_a_change) {
    close(Error(keys::KeyError::integration_sealed));
    begin();
    EXPECT_TRUE(courier.watched.empty());
    EXPECT_FALSE(watches->watching(integration));
    EXPECT_TRUE(mailboxes.reports.empty());
    mailboxes.closed.clear();
    settle();
    EXPECT_TRUE(courier.watched.empty());
    changed();
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, cut_off_mailbox_is_not_watched_again) {
    begin();
    close(Error(keys::KeyError::integration_cut_off));
    watches->ended(integration, MailError::use_ended);
    settle();
    EXPECT_EQ(courier.watched.size(), 1U);
    EXPECT_FALSE(watches->watching(integration));
    EXPECT_EQ(watches->count(), 0U);
}

TEST_F(WatchesTest, refusals_that_need_a_person_are_reported_once_and_wait) {
    for (const auto refusal : {MailError::sign_in_refused, MailError::certificate_untrusted,
                               MailError::certificate_wrong_name, MailError::certificate_expired,
                               MailError::address_refused}) {
        SCOPED_TRACE(describe(refusal).code.view());
        const auto before = courier.watched.size();
        courier.watches_fail = {refusal};
        if (!watches) begin();
        changed();
        ASSERT_EQ(courier.watched.size(), before + 1);
        ASSERT_FALSE(mailboxes.reports.empty());
        EXPECT_EQ(mailboxes.reports.back().second, refusal);
        EXPECT_FALSE(watches->watching(integration));
        const auto tickets = mailboxes.tickets.size();
        watches->courier_restarted();
        settle();
        // What may pass has its ticket still.
        EXPECT_EQ(courier.watched.size(), before + (may_pass(refusal) ? 2 : 1));
        EXPECT_LE(mailboxes.tickets.size(), tickets + 1);
        mailboxes.closed.clear();
        changed();
        EXPECT_TRUE(watches->watching(integration));
        EXPECT_EQ(mailboxes.mended.back(), integration) << "what was told of it is over";
        watches->ended(integration, MailError::connection_lost);
        settle();
    }
    EXPECT_EQ(mailboxes.reports.size(), 5U);
}

TEST(WatchPause, what_others_mend_is_looked_at_again_after_hours) {
    EXPECT_EQ(slow_watch_pause(0), 1h);
    EXPECT_EQ(slow_watch_pause(1), 2h);
    EXPECT_EQ(slow_watch_pause(2), 4h);
    EXPECT_EQ(slow_watch_pause(1000), 4h);
}

TEST_F(WatchesTest, refusal_that_ends_a_running_watch_is_reported_too) {
    begin();
    watches->ended(integration, MailError::sign_in_refused);
    settle();
    ASSERT_EQ(mailboxes.reports.size(), 1U);
    EXPECT_EQ(mailboxes.reports[0].second, MailError::sign_in_refused);
    EXPECT_EQ(courier.watched.size(), 1U);
    EXPECT_FALSE(watches->watching(integration));
}

TEST_F(WatchesTest, failure_is_tried_again_by_itself_and_not_at_once) {
    courier.watches_fail = {MailError::connection_failed, MailError::timed_out};
    begin();
    EXPECT_EQ(courier.watched.size(), 1U);
    EXPECT_FALSE(watches->watching(integration));
    until_watched(2);
    EXPECT_EQ(courier.watched.size(), 2U);
    until_watched(3);
    EXPECT_TRUE(watches->watching(integration));
    EXPECT_TRUE(mailboxes.reports.empty());
}

TEST_F(WatchesTest, lost_connection_is_watched_again_after_a_pause) {
    begin();
    watches->ended(integration, MailError::connection_lost);
    settle();
    EXPECT_FALSE(watches->watching(integration));
    EXPECT_EQ(courier.watched.size(), 1U);
    until_watched(2);
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, use_that_ended_is_begun_anew_with_a_fresh_ticket) {
    begin();
    watches->ended(integration, MailError::use_ended);
    settle();
    ASSERT_EQ(courier.watched.size(), 2U);
    EXPECT_EQ(as_text(courier.watched[1].ticket), "ticket 2");
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, end_that_comes_before_the_answer_counts) {
    courier.watches_hang = true;
    begin();
    ASSERT_EQ(courier.watched.size(), 1U);
    watches->ended(integration, MailError::connection_lost);
    courier.watches_hang = false;
    courier.release();
    settle();
    EXPECT_FALSE(watches->watching(integration));
    until_watched(2);
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, end_of_a_mailbox_that_nobody_watches_changes_nothing) {
    begin();
    watches->ended(other_integration, MailError::connection_lost);
    settle();
    EXPECT_FALSE(watches->watching(other_integration));
    EXPECT_TRUE(watches->watching(integration));
    EXPECT_EQ(courier.watched.size(), 1U);
}

TEST_F(WatchesTest, new_courier_is_told_to_watch) {
    begin();
    courier.restart();
    watches->courier_restarted();
    settle();
    EXPECT_EQ(watches->count(), 0U);
    until_watched(2);
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, change_while_watching_does_not_sign_in_again) {
    begin();
    changed();
    changed();
    EXPECT_EQ(courier.watched.size(), 1U);
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, one_that_waits_does_not_hold_up_another) {
    add_mailbox(other_integration, workspace);
    close(Error(keys::KeyError::integration_sealed));
    begin();
    EXPECT_FALSE(watches->watching(integration));
    EXPECT_TRUE(watches->watching(other_integration));
}

TEST_F(WatchesTest, one_host_sees_few_sign_ins_at_a_time_and_another_host_need_not_wait) {
    mailboxes.all[integration].imap_host = "dead.example";
    for (std::uint8_t n = 10; n < 40; ++n)
        add_mailbox(ending_in(n), workspace);
    for (auto& [id, mailbox] : mailboxes.all)
        mailbox.imap_host = "dead.example";
    add_mailbox(ending_in(200), workspace);
    mailboxes.all[ending_in(200)].imap_host = "lively.example";
    courier.watches_hang = true;
    begin();
    ASSERT_EQ(courier.watched.size(), Watches::k_sign_ins_at_one_host + 1);
    EXPECT_EQ(mailboxes.tickets.size(), courier.watched.size());
    EXPECT_EQ(courier.watched.back().integration, ending_in(200));
    courier.watches_hang = false;
    courier.release();
    settle();
    EXPECT_EQ(courier.watched.size(), 32U);
    EXPECT_EQ(watches->count(), 32U);
}

TEST_F(WatchesTest, host_that_answers_again_ends_the_pauses_of_its_mailboxes) {
    add_mailbox(ending_in(201), workspace);
    add_mailbox(ending_in(202), workspace);
    mailboxes.all[integration].imap_host = "back.example";
    mailboxes.all[ending_in(201)].imap_host = "other.example";
    mailboxes.all[ending_in(202)].imap_host = "back.example";
    courier.watches_fail = {MailError::connection_failed, MailError::connection_failed};
    begin();
    // Without time passing: the two of one host are watched, the third waits for its pause.
    EXPECT_EQ(courier.watched.size(), 4U);
    EXPECT_EQ(watches->count(), 2U);
    EXPECT_FALSE(watches->watching(ending_in(201)));
    until_watched(5);
    EXPECT_EQ(watches->count(), 3U);
}

TEST_F(WatchesTest, pause_after_a_lost_connection_outlasts_the_sign_in_of_another) {
    add_mailbox(ending_in(202), workspace);
    mailboxes.all[integration].imap_host = "flaps.example";
    mailboxes.all[ending_in(202)].imap_host = "flaps.example";
    begin();
    ASSERT_EQ(courier.watched.size(), 2U);
    watches->ended(integration, MailError::connection_lost);
    settle();
    watches->ended(ending_in(202), MailError::use_ended);
    settle();
    EXPECT_EQ(courier.watched.size(), 3U) << "the other one alone";
    EXPECT_FALSE(watches->watching(integration));
    until_watched(4);
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, refusal_of_one_mailbox_is_not_tried_again_because_its_host_answers) {
    add_mailbox(ending_in(202), workspace);
    courier.watches_fail = {MailError::sign_in_refused};
    begin();
    EXPECT_EQ(courier.watched.size(), 2U);
    EXPECT_EQ(watches->count(), 1U);
}

TEST_F(WatchesTest, waiting_ends_at_once_when_it_is_watched) {
    begin();
    EXPECT_TRUE(until_watching());
    EXPECT_EQ(courier.watched.size(), 1U);
}

TEST_F(WatchesTest, waiting_begins_a_watch_and_tells_why_there_is_none) {
    close(Error(keys::KeyError::integration_sealed));
    begin();
    EXPECT_TRUE(fails_with(until_watching(), keys::KeyError::integration_sealed));
    mailboxes.closed.clear();
    courier.watches_fail = {MailError::connection_failed};
    EXPECT_TRUE(fails_with(until_watching(), MailError::connection_failed));
    EXPECT_TRUE(until_watching());
    EXPECT_TRUE(watches->watching(integration));
}

TEST_F(WatchesTest, waiting_is_not_answered_with_what_was_true_before) {
    close(Error(keys::KeyError::integration_sealed));
    begin();
    mailboxes.closed.clear();
    EXPECT_TRUE(until_watching());
}

TEST_F(WatchesTest, several_may_wait_for_one_mailbox) {
    courier.watches_hang = true;
    begin();
    std::optional<Result<>> outcomes[3];
    for (auto& outcome : outcomes) {
        loop.start(watches->until_watching(workspace, integration, Deadline::in(20s)), outcome);
        settle();
        EXPECT_FALSE(outcome);
    }
    courier.watches_hang = false;
    courier.release();
    settle();
    for (const auto& outcome : outcomes) {
        ASSERT_TRUE(outcome);
        EXPECT_TRUE(outcome->has_value()) << outcome->error().code();
    }
}

TEST_F(WatchesTest, waiting_ends_with_its_deadline) {
    courier.watches_hang = true;
    begin();
    const auto waited = run(watches->until_watching(workspace, integration, Deadline::in(1ms)));
    EXPECT_TRUE(fails_with(waited, async::AsyncError::deadline_passed));
}

TEST_F(WatchesTest, cursors_that_cannot_be_stored_are_a_failure) {
    const auto before = steps.taken;
    begin();
    const auto calls = steps.taken - before;
    stop();
    jobs = std::make_unique<async::TaskGroup>(loop.io.get_executor());
    const auto base = steps.taken;
    steps.fails = [base, calls](int step) { return step > base && step <= base + calls + 1; };
    begin();
    EXPECT_FALSE(watches->watching(integration));
    steps.fails = nullptr;
    changed();
    EXPECT_TRUE(watches->watching(integration));
}

}  // namespace
}  // namespace postern::mail::test
