#include "features/mail/sender.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/parts.h"
#include "features/mail/played_processes_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/sender_lab_fake.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task_group.h"
#include "platform/events/event_log.h"
#include "platform/keys/key_error.h"
#include "platform/store/database.h"
#include "platform/store/postgres/cutting_proxy_test.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail::test {
namespace {

using rows::Stage;
using Texts = std::vector<std::string>;

constexpr std::int64_t k_day_s = 24 * 3600;

class SenderTest : public SenderLab {
protected:
    using SenderLab::SenderLab;
};

TEST_F(SenderTest, sends_once_and_copies_after_the_point_of_no_return) {
    const auto id = queue_mail(thread);
    std::vector<Stage> at_the_dot;
    courier.dot_was_allowed = [&] { at_the_dot.push_back(only_stage()); };
    begin();
    ASSERT_EQ(courier.submitted.size(), 1U);
    const auto& mail = courier.submitted[0];
    EXPECT_EQ(as_text(mail.ticket), "ticket 1");
    EXPECT_EQ(mail.message, id);
    EXPECT_EQ(mail.from, k_maya.address);
    EXPECT_EQ(mail.recipients, (Texts{k_lea.address, k_bo.address}));
    EXPECT_EQ(mail.raw, "raw Hi");
    EXPECT_EQ(mail.dot_allowed, true);
    EXPECT_EQ(at_the_dot, std::vector<Stage>{Stage::handed_over});
    ASSERT_EQ(courier.copied.size(), 1U);
    EXPECT_EQ(as_text(courier.copied[0].ticket), "ticket 2");
    EXPECT_EQ(courier.copied[0].message_id, our_id(thread));
    EXPECT_EQ(courier.copied[0].raw, "raw Hi");
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(message(id).failure_code, "");
    EXPECT_TRUE(outbox().empty());
    EXPECT_EQ(told(), Texts{"message.state sent"});
    EXPECT_EQ(ledger(), Texts{"look_in_sent our_copy"});
    pass_s(k_day_s);
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(SenderTest, every_look_at_sent_is_in_the_read_ledger) {
    queue_mail(thread);
    courier.sends = {lost(SendPlay::End::fails)};
    courier.copies_fail = {MailError::connection_lost};
    begin();
    EXPECT_TRUE(ledger().empty());
    pass_s(30);
    EXPECT_EQ(ledger(), Texts{"look_in_sent unknown_send"}) << "also of one that broke";
    courier.sent_has_it = true;
    pass_s(60);
    EXPECT_EQ(ledger(), (Texts{"look_in_sent unknown_send", "look_in_sent unknown_send"}));
}

TEST_F(SenderTest, mail_is_sending_while_courier_has_it) {
    const auto id = queue_mail(thread);
    courier.sends.push_back(sent());
    courier.sends.front().held = true;
    begin();
    EXPECT_EQ(only_stage(), Stage::sending);
    EXPECT_EQ(message(id).state, MessageState::sending);
    pass_s(600);
    EXPECT_EQ(courier.submitted.size(), 1U);
    courier.release();
    settle();
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, opens_mails_under_the_handle_of_jobs) {
    queue_mail(thread);
    begin();
    ASSERT_FALSE(keeper.handles.empty());
    for (const auto handle : keeper.handles)
        EXPECT_EQ(handle, k_job_handle);
}

TEST_F(SenderTest, two_mails_go_out_at_once_each_with_its_own_dot) {
    const auto first = queue_mail(thread, "one");
    const auto second = queue_mail(thread, "two");
    courier.sends = {sent(), sent()};
    courier.sends[0].held = courier.sends[1].held = true;
    begin();
    ASSERT_EQ(courier.submitted.size(), 2U);
    courier.release();
    settle();
    for (const auto& mail : courier.submitted)
        EXPECT_EQ(mail.dot_allowed, true);
    EXPECT_NE(courier.submitted[0].message, courier.submitted[1].message);
    EXPECT_EQ(message(first).state, MessageState::sent);
    EXPECT_EQ(message(second).state, MessageState::sent);
    EXPECT_EQ(courier.submitted.size(), 2U);
}

TEST_F(SenderTest, no_more_than_two_of_a_mailbox_are_under_way_and_none_is_left_behind) {
    hold(5);
    for (int i = 0; i < 5; ++i)
        queue_mail(thread);
    begin();
    for (const std::size_t under_way : {2U, 4U, 5U}) {
        EXPECT_EQ(courier.submitted.size(), under_way);
        courier.release();
        settle();
    }
    EXPECT_EQ(courier.submitted.size(), 5U);
    EXPECT_TRUE(outbox().empty());
}

TEST_F(SenderTest, server_that_hangs_holds_up_no_other_mailbox) {
    add_mailbox(other_integration, workspace);
    for (int i = 0; i < 400; ++i)
        queue_mail(thread);
    const auto id = queue_mail(add_thread({k_lea}, other_integration));
    hold(3);
    begin();
    ASSERT_EQ(courier.submitted.size(), 3U);
    EXPECT_EQ(std::ranges::count(courier.submitted, id, &PlayedCourier::Submitted::message), 1);
    EXPECT_EQ(message(id).state, MessageState::sending);
}

TEST_F(SenderTest, thirty_two_are_under_way_in_all_and_none_is_left_behind) {
    std::vector<MessageId> ids;
    for (std::uint8_t i = 0; i < 20; ++i) {
        const IntegrationId mailbox{std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 9, i}};
        add_mailbox(mailbox, workspace);
        const auto its_thread = add_thread({k_lea}, mailbox);
        queue_mail(its_thread);
        queue_mail(its_thread);
    }
    hold(40);
    begin();
    EXPECT_EQ(courier.submitted.size(), 32U);
    courier.release();
    settle();
    EXPECT_EQ(courier.submitted.size(), 40U);
    courier.release();
    settle();
    EXPECT_TRUE(outbox().empty());
}

TEST_F(SenderTest, one_that_fails_does_not_hold_up_another) {
    const auto bad = queue_mail(thread, "one");
    const auto good = queue_mail(thread, "two");
    courier.sends = {refused(550, SendStage::rcpt_to), sent()};
    begin();
    EXPECT_EQ(message(bad).state, MessageState::failed);
    EXPECT_EQ(message(good).state, MessageState::sent);
}

TEST_F(SenderTest, final_refusal_fails_the_mail_for_good) {
    const auto id = queue_mail(thread);
    courier.sends = {refused(550, SendStage::rcpt_to)};
    begin();
    EXPECT_EQ(message(id).state, MessageState::failed);
    EXPECT_EQ(message(id).failure_code, "smtp_550");
    EXPECT_TRUE(outbox().empty());
    EXPECT_TRUE(courier.copied.empty());
    EXPECT_EQ(told(), Texts{"message.state failed"});
    pass_s(k_day_s);
    wake_mailbox();
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(SenderTest, refusal_at_the_dot_is_an_answer) {
    const auto id = queue_mail(thread);
    courier.sends = {refused(554, SendStage::final_dot)};
    begin();
    EXPECT_EQ(courier.submitted[0].dot_allowed, true);
    EXPECT_EQ(message(id).state, MessageState::failed);
}

TEST_F(SenderTest, transient_refusal_at_the_dot_is_an_answer_too) {
    const auto id = queue_mail(thread);
    courier.sends = {refused(451, SendStage::final_dot, true)};
    begin();
    EXPECT_EQ(courier.submitted[0].dot_allowed, true);
    EXPECT_EQ(message(id).state, MessageState::queued);
    pass_s(15);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, what_breaks_after_the_dot_was_allowed_is_never_sent_again) {
    const auto id = queue_mail(thread);
    courier.sends = {broken(SendStage::body, "use_ended")};
    courier.sends[0].asks = true;
    begin();
    EXPECT_EQ(courier.submitted[0].dot_allowed, true);
    EXPECT_EQ(message(id).state, MessageState::unknown);
    pass_s(k_day_s);
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(SenderTest, transient_refusal_is_tried_again_after_its_pause_and_not_before) {
    const auto id = queue_mail(thread);
    courier.sends = {refused(451, SendStage::rcpt_to, true)};
    begin();
    EXPECT_EQ(message(id).state, MessageState::queued);
    EXPECT_EQ(message(id).failure_code, "smtp_451");
    EXPECT_EQ(next_due(), clock.now + 15'000);
    EXPECT_EQ(outbox().front().attempts, 1);
    pass_s(14);
    EXPECT_EQ(courier.submitted.size(), 1U);
    pass_s(1);
    EXPECT_EQ(courier.submitted.size(), 2U);
    EXPECT_EQ(courier.submitted[1].raw, courier.submitted[0].raw);
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(message(id).failure_code, "");
}

TEST_F(SenderTest, is_given_up_after_the_last_attempt) {
    const auto id = queue_mail(thread);
    courier.sends.assign(10, broken(SendStage::connect, "connection_failed"));
    begin();
    for (int i = 1; i < 4; ++i) {
        EXPECT_EQ(message(id).state, MessageState::queued);
        EXPECT_EQ(courier.submitted.size(), static_cast<std::size_t>(i));
        pass_s(3600);
    }
    EXPECT_EQ(courier.submitted.size(), 4U);
    EXPECT_EQ(message(id).state, MessageState::failed);
    EXPECT_EQ(message(id).failure_code, "connection_failed");
    EXPECT_TRUE(outbox().empty());
    pass_s(k_day_s);
    EXPECT_EQ(courier.submitted.size(), 4U);
}

TEST_F(SenderTest, what_a_person_must_put_right_is_reported_and_waits) {
    const auto id = queue_mail(thread);
    courier.sends = {broken(SendStage::auth, "sign_in_refused")};
    begin();
    ASSERT_EQ(courier.submitted.size(), 1U);
    ASSERT_EQ(mailboxes.reports.size(), 1U);
    EXPECT_EQ(mailboxes.reports.back().second, MailError::sign_in_refused);
    EXPECT_EQ(message(id).state, MessageState::queued);
    EXPECT_EQ(message(id).failure_code, "sign_in_refused");
    EXPECT_EQ(outbox().front().attempts, 0);
    pass_s(k_day_s - 1);
    EXPECT_EQ(courier.submitted.size(), 1U);
    mailboxes.closed.clear();
    wake_mailbox();
    EXPECT_EQ(courier.submitted.size(), 2U);
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_TRUE(mailboxes.mended.empty());
}

TEST_F(SenderTest, what_may_pass_is_reported_tried_again_by_itself_and_mended) {
    const SendPlay plays[] = {broken(SendStage::starttls, "certificate_expired"),
                              broken(SendStage::connect, "certificate_wrong_name"),
                              broken(SendStage::connect, "certificate_untrusted"),
                              broken(SendStage::connect, "address_refused")};
    begin();
    for (const auto& play : plays) {
        SCOPED_TRACE(play.answer.error_code);
        courier.submitted.clear();
        mailboxes.reports.clear();
        mailboxes.mended.clear();
        const auto id = queue_mail(thread);
        courier.sends = {play};
        pass_s(0);
        ASSERT_EQ(courier.submitted.size(), 1U);
        ASSERT_EQ(mailboxes.reports.size(), 1U);
        EXPECT_EQ(describe(mailboxes.reports[0].second).code.view(), play.answer.error_code);
        EXPECT_EQ(message(id).state, MessageState::queued);
        EXPECT_EQ(message(id).failure_code, play.answer.error_code);
        EXPECT_TRUE(mailboxes.mended.empty());
        pass_s(3599);
        EXPECT_EQ(courier.submitted.size(), 1U);
        pass_s(1);
        EXPECT_EQ(courier.submitted.size(), 2U);
        EXPECT_EQ(message(id).state, MessageState::sent);
        EXPECT_EQ(mailboxes.mended, std::vector{integration});
    }
}

TEST_F(SenderTest, certificate_that_fails_for_the_copy_is_tried_again_by_itself_and_mended) {
    const auto id = queue_mail(thread);
    courier.copies_fail = {MailError::certificate_expired};
    begin();
    ASSERT_EQ(mailboxes.reports.size(), 1U);
    EXPECT_EQ(only_stage(), Stage::copy);
    EXPECT_TRUE(mailboxes.mended.empty());
    pass_s(3600);
    EXPECT_EQ(courier.copied.size(), 2U);
    EXPECT_EQ(mailboxes.mended, std::vector{integration});
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_TRUE(outbox().empty());
}

TEST_F(SenderTest, sign_in_that_is_refused_for_now_is_no_matter_for_a_person) {
    const auto id = queue_mail(thread);
    courier.sends = {refused(454, SendStage::auth, true)};
    courier.sends[0].answer.error_code = "sign_in_unavailable";
    begin();
    EXPECT_TRUE(mailboxes.reports.empty());
    EXPECT_EQ(message(id).failure_code, "smtp_454");
    pass_s(15);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, sealed_mailbox_waits_until_it_is_woken) {
    const auto id = queue_mail(thread);
    mailboxes.closed.insert_or_assign(integration, Error(keys::KeyError::integration_sealed));
    begin();
    EXPECT_EQ(message(id).state, MessageState::queued);
    EXPECT_EQ(message(id).failure_code, "");
    EXPECT_EQ(outbox().front().attempts, 0);
    pass_s(k_day_s - 1);
    EXPECT_EQ(mailboxes.tickets.size(), 1U);
    mailboxes.closed.clear();
    ASSERT_TRUE(run(sender->wake_mailbox(workspace, other_integration)));
    ASSERT_TRUE(run(sender->wake_mailbox(other_workspace, integration)));
    settle();
    EXPECT_TRUE(courier.submitted.empty());
    wake_mailbox();
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, a_ceiling_is_asked_again_soon_without_counting) {
    const auto id = queue_mail(thread);
    mailboxes.closed.insert_or_assign(integration, Error(LabError::ceiling_reached));
    begin();
    for (int i = 0; i < 10; ++i)
        pass_s(5);
    EXPECT_EQ(mailboxes.tickets.size(), 11U);
    EXPECT_EQ(outbox().front().attempts, 0);
    mailboxes.closed.clear();
    pass_s(5);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, cut_off_mailbox_never_sends) {
    const auto id = queue_mail(thread);
    mailboxes.closed.insert_or_assign(integration, Error(keys::KeyError::integration_cut_off));
    begin();
    EXPECT_EQ(message(id).state, MessageState::failed);
    EXPECT_EQ(message(id).failure_code, "integration_cut_off");
    EXPECT_TRUE(outbox().empty());
    EXPECT_EQ(told(), Texts{"message.state failed"});
    mailboxes.closed.clear();
    wake_mailbox();
    EXPECT_TRUE(courier.submitted.empty());
}

TEST_F(SenderTest, cut_off_before_the_copy_leaves_the_mail_sent) {
    const auto id = queue_mail(thread);
    courier.dot_was_allowed = [this] {
        mailboxes.closed.insert_or_assign(integration, Error(keys::KeyError::integration_cut_off));
    };
    begin();
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(message(id).failure_code, "");
    EXPECT_TRUE(outbox().empty());
    EXPECT_TRUE(courier.copied.empty());
}

TEST_F(SenderTest, courier_lost_before_the_dot_is_tried_again) {
    const auto id = queue_mail(thread);
    courier.sends = {lost(SendPlay::End::lost_before_dot)};
    begin();
    EXPECT_EQ(courier.submitted[0].dot_allowed, std::nullopt);
    EXPECT_EQ(message(id).state, MessageState::queued);
    EXPECT_EQ(only_stage(), Stage::queued);
    courier.restart();
    pass_s(15);
    EXPECT_EQ(courier.submitted.size(), 2U);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, courier_lost_at_the_dot_leaves_it_unknown_and_never_sends_again) {
    const auto id = queue_mail(thread);
    courier.sends = {lost(SendPlay::End::lost_after_dot)};
    begin();
    EXPECT_EQ(message(id).state, MessageState::unknown);
    EXPECT_EQ(message(id).failure_code, "connection_lost");
    EXPECT_EQ(only_stage(), Stage::unknown);
    EXPECT_EQ(told(), Texts{"message.state unknown"});
    courier.restart();
    for (int i = 0; i < 10; ++i)
        pass_s(3600);
    wake_mailbox();
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(courier.copied.size(), 5U);
    for (const auto& look : courier.copied) {
        EXPECT_TRUE(look.only_looked);
        EXPECT_EQ(look.message_id, our_id(thread));
    }
    EXPECT_EQ(message(id).state, MessageState::unknown);
    EXPECT_TRUE(outbox().empty());
}

TEST_F(SenderTest, failure_after_the_dot_was_allowed_is_unknown_too) {
    const auto id = queue_mail(thread);
    courier.sends = {lost(SendPlay::End::fails)};
    begin();
    EXPECT_EQ(message(id).state, MessageState::unknown);
    pass_s(k_day_s);
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(SenderTest, unknown_that_lies_in_sent_was_sent) {
    const auto id = queue_mail(thread);
    courier.sends = {sent()};
    courier.sends[0].answer.result = SendResult::unknown;
    begin();
    EXPECT_EQ(message(id).state, MessageState::unknown);
    pass_s(29);
    EXPECT_TRUE(courier.copied.empty());
    pass_s(1);
    EXPECT_EQ(message(id).state, MessageState::unknown);
    courier.sent_has_it = true;
    pass_s(60);
    EXPECT_EQ(courier.copied.size(), 2U);
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(message(id).failure_code, "");
    EXPECT_TRUE(outbox().empty());
    EXPECT_EQ(told(), (Texts{"message.state unknown", "message.state sent"}));
}

TEST_F(SenderTest, unknown_is_looked_for_as_often_after_many_attempts) {
    const auto id = queue_mail(thread);
    courier.sends.assign(3, broken(SendStage::connect, "connection_failed"));
    courier.sends.push_back(lost(SendPlay::End::lost_after_dot));
    begin();
    for (int i = 0; i < 3; ++i)
        pass_s(3600);
    EXPECT_EQ(message(id).state, MessageState::unknown);
    courier.restart();
    for (int i = 0; i < 10; ++i)
        pass_s(3600);
    EXPECT_EQ(courier.submitted.size(), 4U);
    EXPECT_EQ(courier.copied.size(), 5U);
}

TEST_F(SenderTest, sign_in_refused_while_looking_waits_for_a_person) {
    const auto id = queue_mail(thread);
    courier.sends = {lost(SendPlay::End::fails)};
    courier.copies_fail = {MailError::sign_in_refused};
    begin();
    pass_s(30);
    ASSERT_EQ(mailboxes.reports.size(), 1U);
    pass_s(k_day_s - 1);
    EXPECT_EQ(courier.copied.size(), 1U);
    mailboxes.closed.clear();
    courier.sent_has_it = true;
    wake_mailbox();
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, failed_copy_is_tried_with_growing_pauses_and_given_up) {
    const auto id = queue_mail(thread);
    courier.copies_fail.assign(10, MailError::provider_refused);
    begin();
    for (const std::int64_t pause_s : {15, 30, 60}) {
        EXPECT_EQ(next_due(), clock.now + pause_s * 1000);
        EXPECT_EQ(only_stage(), Stage::copy);
        pass_s(pause_s);
    }
    EXPECT_TRUE(outbox().empty());
    pass_s(k_day_s);
    EXPECT_EQ(courier.copied.size(), 4U);
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(message(id).failure_code, "");
    EXPECT_EQ(told(), Texts{"message.state sent"});
}

TEST_F(SenderTest, sign_in_refused_for_the_copy_waits_for_a_person) {
    const auto id = queue_mail(thread);
    courier.copies_fail = {MailError::sign_in_refused};
    begin();
    ASSERT_EQ(mailboxes.reports.size(), 1U);
    EXPECT_EQ(mailboxes.reports[0].second, MailError::sign_in_refused);
    pass_s(k_day_s - 1);
    EXPECT_EQ(courier.copied.size(), 1U);
    mailboxes.closed.clear();
    wake_mailbox();
    EXPECT_EQ(courier.copied.size(), 2U);
    EXPECT_TRUE(outbox().empty());
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, erased_recipient_is_never_written_to) {
    const auto id = queue_mail(thread);
    keeper.people.erase({workspace, ensure(workspace, {k_bo})[0]});
    begin();
    EXPECT_TRUE(courier.submitted.empty());
    EXPECT_EQ(message(id).state, MessageState::failed);
    EXPECT_EQ(message(id).failure_code, "not_readable");
    EXPECT_TRUE(outbox().empty());
}

TEST_F(SenderTest, erased_after_it_was_sent_gets_no_copy) {
    const auto id = queue_mail(thread);
    courier.dot_was_allowed = [this] { keeper.people.clear(); };
    begin();
    pass_s(k_day_s);
    EXPECT_TRUE(courier.copied.empty());
    EXPECT_TRUE(outbox().empty());
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(mailboxes.tickets.size(), 2U);
}

TEST_F(SenderTest, erased_unknown_is_not_looked_for_without_its_id) {
    const auto id = queue_mail(thread);
    courier.sends = {lost(SendPlay::End::fails)};
    courier.sent_has_it = true;
    begin();
    keeper.people.clear();
    pass_s(30);
    EXPECT_TRUE(courier.copied.empty());
    EXPECT_TRUE(outbox().empty());
    EXPECT_EQ(message(id).state, MessageState::unknown);
}

TEST_F(SenderTest, keeper_that_fails_leaves_the_mail_queued) {
    const auto id = queue_mail(thread);
    const auto base = steps.taken;
    steps.fails = [base](int step) { return step == base + 2; };  // after the look at its host
    begin();
    EXPECT_TRUE(courier.submitted.empty());
    EXPECT_EQ(message(id).state, MessageState::queued);
    EXPECT_EQ(message(id).failure_code, "storage_failed");
    pass_s(15);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, dot_is_refused_for_a_mail_that_is_not_being_sent) {
    const auto id = queue_mail(thread);
    begin();
    EXPECT_EQ(message(id).state, MessageState::sent);
    for (const auto asked : {id, MessageId::make(7)}) {
        const auto attempt = courier.submitted[0].attempt;
        const auto allowed = run(sender->before_final_dot({asked, attempt}));
        ASSERT_FALSE(allowed);
        EXPECT_TRUE(allowed.error().is(MailError::use_ended));
    }
}

TEST_F(SenderTest, attempt_that_was_given_up_does_not_cross_on_the_permission_of_the_next) {
    const auto id = queue_mail(thread);
    courier.sends = {sent(), sent()};
    courier.sends[0].held = courier.sends[1].held = true;
    begin();
    courier.lose();
    settle();
    courier.restart();
    pass_s(15);
    ASSERT_EQ(courier.submitted.size(), 2U);
    const auto stale = courier.submitted[0].attempt;
    const auto present = courier.submitted[1].attempt;
    ASSERT_NE(stale, present);
    EXPECT_EQ(only_stage(), Stage::sending);

    const auto refused = run(sender->before_final_dot({id, stale}));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(MailError::use_ended));
    EXPECT_EQ(only_stage(), Stage::sending);
    EXPECT_TRUE(run(sender->before_final_dot({id, present})));
    EXPECT_EQ(only_stage(), Stage::handed_over);
    EXPECT_FALSE(run(sender->before_final_dot({id, present}))) << "asked twice";
}

TEST_F(SenderTest, dot_is_refused_when_somebody_else_has_the_row) {
    const auto id = queue_mail(thread);
    courier.sends = {sent()};
    courier.sends[0].held = true;
    begin();
    const auto row = outbox().front();
    write([&](store::Transaction& tx) -> Result<> {
        rows::OutboxMove move{workspace, id, row.fence, Stage::unknown, 0, clock.now, true};
        POSTERN_TRY(const auto mine, rows::move_outbox(tx, move));
        EXPECT_TRUE(mine);
        return rows::set_message_state(tx, workspace, id, MessageState::unknown, "interrupted");
    });
    courier.release();
    settle();
    EXPECT_EQ(courier.submitted[0].dot_allowed, false);
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(message(id).state, MessageState::unknown);
}

TEST_F(SenderTest, row_that_was_moved_on_is_not_sent) {
    const auto id = queue_mail(thread);
    mailboxes.on_ticket = [&] {
        if (mailboxes.tickets.size() > 1) return;
        write([&](store::Transaction& tx) -> Result<> {
            rows::OutboxMove move{workspace, id, 0, Stage::sending, 0, clock.now + 3'600'000, true};
            POSTERN_TRY(const auto mine, rows::move_outbox(tx, move));
            EXPECT_TRUE(mine);
            return {};
        });
    };
    begin();
    EXPECT_EQ(mailboxes.tickets.size(), 1U);
    EXPECT_TRUE(courier.submitted.empty());
    EXPECT_EQ(outbox().front().fence, 1);
}

TEST_F(SenderTest, recovers_every_stage_that_a_crash_may_leave) {
    struct Case {
        const char* name;
        Stage stage;
        MessageState before;
        MessageState after;
        std::size_t submissions;
        std::size_t copies;
        bool looked;
    };
    const Case cases[] = {
        {"queued", Stage::queued, MessageState::queued, MessageState::sent, 1, 1, false},
        {"sending", Stage::sending, MessageState::sending, MessageState::sent, 1, 1, false},
        {"handed over", Stage::handed_over, MessageState::sending, MessageState::unknown, 0, 1,
         true},
        {"copy", Stage::copy, MessageState::sent, MessageState::sent, 0, 1, false},
        {"unknown", Stage::unknown, MessageState::unknown, MessageState::unknown, 0, 1, true},
    };
    for (const auto& test : cases) {
        SCOPED_TRACE(test.name);
        courier.submitted.clear();
        courier.copied.clear();
        const auto id = queue_mail(thread);
        at_stage(id, test.stage, test.before, 2);
        begin();
        EXPECT_EQ(courier.submitted.size(), test.submissions);
        ASSERT_EQ(courier.copied.size(), test.copies);
        EXPECT_EQ(courier.copied[0].only_looked, test.looked);
        EXPECT_EQ(message(id).state, test.after);
        stop();
        write([&](store::Transaction& tx) { return rows::delete_outbox(tx, workspace, id); });
        jobs = std::make_unique<async::TaskGroup>(loop.io.get_executor());
    }
}

TEST_F(SenderTest, recovery_tells_of_what_became_unknown) {
    const auto lost_at_dot = queue_mail(thread);
    at_stage(lost_at_dot, Stage::handed_over, MessageState::sending, 3);
    const auto unsent = queue_mail(thread);
    at_stage(unsent, Stage::sending, MessageState::sending);
    sender = std::make_unique<Sender>(parts(), policy);
    ASSERT_TRUE(run(sender->recover()));
    EXPECT_EQ(message(lost_at_dot).state, MessageState::unknown);
    EXPECT_EQ(message(lost_at_dot).failure_code, "interrupted");
    EXPECT_EQ(message(unsent).state, MessageState::queued);
    EXPECT_EQ(told(), Texts{"message.state unknown"});
    for (const auto& row : outbox())
        EXPECT_EQ(row.fence, 1);
}

TEST_F(SenderTest, crash_while_courier_has_it_sends_again_only_from_before_the_dot) {
    const auto id = queue_mail(thread);
    courier.sends = {sent()};
    courier.sends[0].held = true;
    begin();
    EXPECT_EQ(only_stage(), Stage::sending);
    stop();
    open_store();
    begin();
    courier.release();
    settle();
    ASSERT_EQ(courier.submitted.size(), 2U);
    EXPECT_EQ(courier.submitted[1].dot_allowed, true);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderTest, takes_up_a_row_that_nobody_works_on) {
    begin();
    const auto unsent = queue_mail(thread, "one");
    at_stage(unsent, Stage::sending, MessageState::sending);
    pass_s(1);
    EXPECT_EQ(courier.submitted.size(), 1U);
    EXPECT_EQ(message(unsent).state, MessageState::sent);
    const auto lost_at_dot = queue_mail(thread, "two");
    at_stage(lost_at_dot, Stage::handed_over, MessageState::sending);
    pass_s(1);
    EXPECT_EQ(courier.submitted.size(), 1U) << "never sent again by itself";
    EXPECT_EQ(message(lost_at_dot).state, MessageState::unknown);
    EXPECT_EQ(told().back(), "message.state unknown");
    EXPECT_EQ(only_stage(), Stage::unknown);
}

/// The store behind a proxy that cuts the commit which tells that the mail is being sent.
TEST_F(SenderTest, sends_once_when_nobody_knows_whether_its_start_was_written) {
    if (!store::tests_on_postgres()) GTEST_SKIP() << "of stores on a server";
    const auto id = queue_mail(thread);
    store::CuttingProxy proxy(folder.file("proxy"), store::shared_cluster().folder());
    stop();
    events.reset();
    database.reset();
    store::Database::Options options;
    options.file = folder.file("store.db");
    options.readers = 0;
    options.busy_timeout = std::chrono::milliseconds(100);
    options.clock = &clock;
    options = store::on_test_engine(options);
    options.server->addresses = {{proxy.folder(), 5432}};
    database = store::open_or_fail(options);
    events = std::make_unique<events::EventLog>(loop.io.get_executor(), *database, clock);
    jobs = std::make_unique<async::TaskGroup>(loop.io.get_executor());
    mailboxes.on_ticket = [&] {
        if (mailboxes.tickets.size() > 1) return;
        // So that the next commit is the first of its session, and its words are on the wire.
        store::shared_cluster().sql(
            {"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
             "application_name LIKE 'postern%'"});
        proxy.arm(store::CuttingProxy::Cut::after_answer, true);
    };
    begin();
    EXPECT_EQ(proxy.cuts(), 1);
    EXPECT_TRUE(courier.submitted.empty());
    proxy.arm(store::CuttingProxy::Cut::nothing);
    until([&] { return !courier.copied.empty(); });
    settle();
    EXPECT_EQ(message(id).state, MessageState::sent);
    EXPECT_EQ(courier.submitted.size(), 1U);
    stop();
    sender.reset();
    open_store();
}

constexpr store::EngineText k_refuse_stage = {
    "CREATE TRIGGER refuse_stage BEFORE UPDATE ON outbox WHEN NEW.stage = 'handed_over' OR "
    "NEW.stage = 'copy' BEGIN SELECT RAISE(ABORT, 'lab'); END",
    "CREATE TRIGGER refuse_stage BEFORE UPDATE ON outbox FOR EACH ROW WHEN (NEW.stage = "
    "'handed_over' OR NEW.stage = 'copy') EXECUTE FUNCTION refuse()"};
constexpr store::EngineText k_accept_stage = {"DROP TRIGGER refuse_stage",
                                              "DROP TRIGGER refuse_stage ON outbox"};

class SenderStoreTest : public SenderTest {
protected:
    void execute(store::SqlText sql) {
        write([sql](store::Transaction& tx) -> Result<> {
            POSTERN_TRY([[maybe_unused]] const auto changed, tx.execute(sql));
            return {};
        });
    }
};

TEST_F(SenderStoreTest, dot_is_refused_when_it_cannot_be_written_down) {
    const auto id = queue_mail(thread);
    execute(k_refuse_stage);
    begin();
    EXPECT_EQ(courier.submitted[0].dot_allowed, false);
    EXPECT_EQ(message(id).state, MessageState::queued);
    execute(k_accept_stage);
    pass_s(15);
    EXPECT_EQ(courier.submitted.size(), 2U);
    EXPECT_EQ(message(id).state, MessageState::sent);
}

TEST_F(SenderStoreTest, outcome_is_kept_until_it_can_be_written_down) {
    const auto id = queue_mail(thread);
    courier.dot_was_allowed = [this] { execute(k_refuse_stage); };
    begin();
    EXPECT_EQ(only_stage(), Stage::handed_over);
    execute(k_accept_stage);
    until([&] { return message(id).state == MessageState::sent; });
    settle();
    EXPECT_EQ(courier.submitted.size(), 1U);
}

class SenderThreadsTest : public SenderTest {
protected:
    SenderThreadsTest() : SenderTest(1) {}
};

/// The call to courier ends while the permission for the dot is still being written down.
TEST_F(SenderThreadsTest, dot_that_is_written_down_too_late_is_refused) {
    const auto id = queue_mail(thread);
    courier.sends = {sent()};
    courier.sends[0].held = true;
    begin();
    until([this] { return courier.submitted.size() == 1; });

    std::promise<void> gate;
    auto opened = std::make_shared<std::shared_future<void>>(gate.get_future());
    const auto block = [opened](store::Transaction&) -> Result<> {
        opened->wait();
        return {};
    };
    std::optional<Result<>> blocked;
    std::optional<Result<>> allowed;
    loop.start(database->write(block), blocked);
    settle();
    loop.start(sender->before_final_dot({id, courier.submitted[0].attempt}), allowed);
    settle();
    courier.lose();
    until([this] { return !courier.link.attached(); });
    settle();
    gate.set_value();
    until([&] { return allowed.has_value(); });
    until([&] { return message(id).state != MessageState::sending; });
    EXPECT_FALSE(*allowed);
    EXPECT_EQ(message(id).state, MessageState::queued);
}

}  // namespace
}  // namespace postern::mail::test
