#include "features/mail/send_outcome.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/error.h"
#include "platform/ipc/peer.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace postern::mail {
namespace {

using rows::Stage;

constexpr std::int64_t k_day_s = 24 * 3600;
const RetryPolicy k_policy{std::chrono::seconds(15), std::chrono::seconds(3600), 10,
                           std::chrono::milliseconds(1)};

SendMail::Answer answer_of(SendResult result,
                           SendStage stage,
                           std::uint16_t code = 0,
                           bool transient = false,
                           std::string error_code = {}) {
    SendMail::Answer answer;
    answer.result = result;
    answer.stage = stage;
    answer.code = code;
    answer.transient = transient;
    answer.error_code = std::move(error_code);
    return answer;
}

rows::OutboxRow row_at(Stage stage, std::int64_t attempts) {
    rows::OutboxRow row;
    row.stage = stage;
    row.attempts = attempts;
    return row;
}

struct Case {
    const char* name;
    SendMail::Answer answer;
    Stage stage;
    MessageState state;
    const char* failure_code;
    std::int64_t attempts;  ///< after 3
    std::int64_t pause_s;
    bool finished;
};

TEST(SendOutcome, follows_from_what_courier_answered) {
    using enum SendStage;
    const Case cases[] = {
        {"sent", answer_of(SendResult::sent, done), Stage::copy, MessageState::sent, "", 0, 0,
         false},
        {"no answer to the dot", answer_of(SendResult::unknown, final_dot), Stage::unknown,
         MessageState::unknown, "connection_lost", 0, 30, false},
        {"no connection", answer_of(SendResult::broken, connect, 0, false, "connection_failed"),
         Stage::queued, MessageState::queued, "connection_failed", 4, 120, false},
        {"broken in the body", answer_of(SendResult::broken, body), Stage::queued,
         MessageState::queued, "connection_lost", 4, 120, false},
        {"dot not allowed", answer_of(SendResult::broken, body, 0, false, "use_ended"),
         Stage::queued, MessageState::queued, "use_ended", 4, 120, false},
        {"greylisted", answer_of(SendResult::refused, rcpt_to, 451, true), Stage::queued,
         MessageState::queued, "smtp_451", 4, 120, false},
        {"refused before anything of the mail", answer_of(SendResult::refused, ehlo, 554),
         Stage::queued, MessageState::queued, "smtp_554", 4, 120, false},
        {"no such recipient", answer_of(SendResult::refused, rcpt_to, 550), Stage::queued,
         MessageState::failed, "smtp_550", 0, 0, true},
        {"no such sender", answer_of(SendResult::refused, mail_from, 553), Stage::queued,
         MessageState::failed, "smtp_553", 0, 0, true},
        {"content refused", answer_of(SendResult::refused, final_dot, 554), Stage::queued,
         MessageState::failed, "smtp_554", 0, 0, true},
        {"refused without a reply",
         answer_of(SendResult::refused, data, 0, false, "provider_refused"), Stage::queued,
         MessageState::failed, "provider_refused", 0, 0, true},
        {"sign-in refused", answer_of(SendResult::refused, auth, 535, false, "sign_in_refused"),
         Stage::queued, MessageState::queued, "smtp_535", 3, k_day_s, false},
        {"sign-in refused for now",
         answer_of(SendResult::refused, auth, 454, true, "sign_in_unavailable"), Stage::queued,
         MessageState::queued, "smtp_454", 4, 120, false},
        {"wrong certificate",
         answer_of(SendResult::broken, starttls, 0, false, "certificate_wrong_name"), Stage::queued,
         MessageState::queued, "certificate_wrong_name", 4, 4 * 3600, false},
    };
    for (const auto& test : cases) {
        SCOPED_TRACE(test.name);
        const auto out = after_answer(k_policy, row_at(Stage::sending, 3), test.answer);
        EXPECT_EQ(out.stage, test.stage);
        EXPECT_EQ(out.state, test.state);
        EXPECT_EQ(out.failure_code, test.failure_code);
        EXPECT_EQ(out.attempts, test.attempts);
        EXPECT_EQ(out.pause_s, test.pause_s);
        EXPECT_EQ(out.finished, test.finished);
    }
}

TEST(SendOutcome, pauses_double_up_to_the_longest) {
    const auto lost = answer_of(SendResult::broken, SendStage::connect);
    RetryPolicy endless = k_policy;
    endless.attempts_max = 1000;
    const std::pair<std::int64_t, std::int64_t> cases[] = {
        {0, 15}, {1, 30}, {2, 60}, {7, 1920}, {8, 3600}, {12, 3600}, {63, 3600}, {900, 3600}};
    for (const auto& [attempts, pause_s] : cases)
        EXPECT_EQ(after_answer(endless, row_at(Stage::sending, attempts), lost).pause_s, pause_s)
            << attempts;
}

TEST(SendOutcome, what_may_pass_is_tried_again_after_hours) {
    const auto expired =
        answer_of(SendResult::broken, SendStage::starttls, 0, false, "certificate_expired");
    const std::pair<std::int64_t, std::int64_t> hours[] = {{0, 1}, {1, 2}, {2, 4}, {8, 4}};
    for (const auto& [attempts, pause_h] : hours) {
        const auto out = after_answer(k_policy, row_at(Stage::sending, attempts), expired);
        EXPECT_EQ(out.pause_s, pause_h * 3600) << attempts;
        EXPECT_FALSE(out.finished);
    }
    EXPECT_TRUE(after_answer(k_policy, row_at(Stage::sending, 9), expired).finished);
    const auto copy = after_failed_copy(k_policy, 1, Error(MailError::certificate_expired));
    EXPECT_EQ(copy.stage, Stage::copy);
    EXPECT_EQ(copy.attempts, 2);
    EXPECT_EQ(copy.pause_s, 2 * 3600);
    const auto look = after_look(4, false, Error(MailError::certificate_expired));
    EXPECT_FALSE(look.finished) << "nothing was looked at";
    EXPECT_EQ(look.attempts, 4);
    EXPECT_EQ(look.pause_s, 3600);
}

TEST(SendOutcome, fails_at_the_last_attempt) {
    const auto lost = answer_of(SendResult::broken, SendStage::connect);
    EXPECT_FALSE(after_answer(k_policy, row_at(Stage::sending, 8), lost).finished);
    const auto last = after_answer(k_policy, row_at(Stage::sending, 9), lost);
    EXPECT_TRUE(last.finished);
    EXPECT_EQ(last.state, MessageState::failed);
    EXPECT_EQ(last.failure_code, "connection_lost");
}

TEST(SendOutcome, waits_for_a_person_also_at_the_last_attempt) {
    const auto out = after_answer(
        k_policy, row_at(Stage::sending, 9),
        answer_of(SendResult::refused, SendStage::auth, 535, false, "sign_in_refused"));
    EXPECT_FALSE(out.finished);
    EXPECT_EQ(out.state, MessageState::queued);
    const auto copy = after_failed_copy(k_policy, 9, Error(MailError::sign_in_refused));
    EXPECT_FALSE(copy.finished);
    EXPECT_EQ(copy.pause_s, k_day_s);
    const auto look = after_look(4, false, Error(MailError::sign_in_refused));
    EXPECT_FALSE(look.finished);
    EXPECT_EQ(look.pause_s, k_day_s);
}

TEST(SendOutcome, without_an_answer_depends_on_whether_the_dot_may_be_out) {
    const Error gone(ipc::IpcError::closed);
    const auto before = after_no_answer(k_policy, row_at(Stage::sending, 0), gone);
    EXPECT_EQ(before.stage, Stage::queued);
    EXPECT_EQ(before.state, MessageState::queued);
    EXPECT_EQ(before.pause_s, 15);
    const auto after = after_no_answer(k_policy, row_at(Stage::handed_over, 0), gone);
    EXPECT_EQ(after.stage, Stage::unknown);
    EXPECT_EQ(after.state, MessageState::unknown);
    EXPECT_EQ(after.failure_code, "connection_lost");
}

TEST(SendOutcome, once_the_dot_may_be_out_only_an_answer_to_it_says_that_nothing_was_delivered) {
    using enum SendStage;
    const auto row = row_at(Stage::handed_over, 0);
    for (const auto& answer : {answer_of(SendResult::broken, body, 0, false, "use_ended"),
                               answer_of(SendResult::broken, connect, 0, false, "sign_in_refused"),
                               answer_of(SendResult::refused, auth, 535, false, "sign_in_refused"),
                               answer_of(SendResult::refused, data, 451, true)}) {
        const auto out = after_answer(k_policy, row, answer);
        EXPECT_EQ(out.stage, Stage::unknown);
        EXPECT_EQ(out.state, MessageState::unknown);
    }
    const auto later =
        after_answer(k_policy, row, answer_of(SendResult::refused, final_dot, 451, true));
    EXPECT_EQ(later.state, MessageState::queued);
    EXPECT_FALSE(later.finished);
    const auto never = after_answer(k_policy, row, answer_of(SendResult::refused, final_dot, 554));
    EXPECT_EQ(never.state, MessageState::failed);
    EXPECT_EQ(after_answer(k_policy, row, answer_of(SendResult::sent, done)).state,
              MessageState::sent);
}

TEST(SendOutcome, unknown_is_still_looked_for_after_the_last_attempt) {
    const auto lost =
        after_no_answer(k_policy, row_at(Stage::handed_over, 9), Error(ipc::IpcError::closed));
    EXPECT_FALSE(lost.finished);
    EXPECT_EQ(lost.attempts, 0);
    const auto told = after_answer(k_policy, row_at(Stage::handed_over, 9),
                                   answer_of(SendResult::unknown, SendStage::final_dot));
    EXPECT_FALSE(told.finished);
    EXPECT_EQ(told.attempts, 0);
}

TEST(SendOutcome, erased_mail_is_not_tried_again) {
    const auto out =
        after_no_answer(k_policy, row_at(Stage::sending, 0), Error(MailServiceError::not_readable));
    EXPECT_TRUE(out.finished);
    EXPECT_EQ(out.state, MessageState::failed);
    EXPECT_EQ(out.failure_code, "not_readable");
    const auto copy = after_failed_copy(k_policy, 0, Error(MailServiceError::not_readable));
    EXPECT_TRUE(copy.finished);
    EXPECT_EQ(copy.state, MessageState::sent);
    EXPECT_EQ(copy.failure_code, "");
}

TEST(SendOutcome, failed_copies_end_and_leave_the_mail_sent) {
    const Error full(MailError::provider_refused);
    std::int64_t attempts = 0;
    for (; attempts < 9; ++attempts) {
        const auto out = after_failed_copy(k_policy, attempts, full);
        EXPECT_EQ(out.stage, Stage::copy);
        EXPECT_EQ(out.state, MessageState::sent);
        EXPECT_EQ(out.attempts, attempts + 1);
        EXPECT_FALSE(out.finished);
    }
    const auto last = after_failed_copy(k_policy, attempts, full);
    EXPECT_TRUE(last.finished);
    EXPECT_EQ(last.state, MessageState::sent);
    EXPECT_EQ(last.failure_code, "");
}

TEST(SendOutcome, looks_five_times_with_growing_pauses) {
    const std::int64_t pauses_s[] = {30, 60, 120, 240};
    for (std::int64_t look = 0; look < 4; ++look) {
        const auto out = after_look(look, false, std::nullopt);
        EXPECT_FALSE(out.finished) << look;
        EXPECT_EQ(out.pause_s, pauses_s[look]);
        EXPECT_EQ(out.state, MessageState::unknown);
    }
    const auto last = after_look(4, false, std::nullopt);
    EXPECT_TRUE(last.finished);
    EXPECT_EQ(last.state, MessageState::unknown);
    EXPECT_EQ(last.stage, Stage::unknown);
}

TEST(SendOutcome, found_in_sent_is_sent) {
    const auto out = after_look(2, true, std::nullopt);
    EXPECT_TRUE(out.finished);
    EXPECT_EQ(out.state, MessageState::sent);
    EXPECT_EQ(out.failure_code, "");
}

TEST(SendOutcome, giving_up_says_what_is_known) {
    EXPECT_EQ(given_up(Stage::queued, "x").state, MessageState::failed);
    EXPECT_EQ(given_up(Stage::queued, "x").failure_code, "x");
    EXPECT_EQ(given_up(Stage::copy, "x").state, MessageState::sent);
    EXPECT_EQ(given_up(Stage::copy, "x").failure_code, "");
    EXPECT_EQ(given_up(Stage::unknown, "x").state, MessageState::unknown);
}

TEST(MailError, is_found_by_its_code_alone) {
    for (int i = 0; i <= static_cast<int>(MailError::mail_unreadable); ++i) {
        const auto error = static_cast<MailError>(i);
        EXPECT_EQ(mail_error_of(describe(error).code.view()), error);
    }
    EXPECT_FALSE(mail_error_of(""));
    EXPECT_FALSE(mail_error_of("smtp_550"));
}

TEST(MailError, may_pass_where_others_mend_it) {
    for (const auto error : {MailError::certificate_untrusted, MailError::certificate_wrong_name,
                             MailError::certificate_expired, MailError::address_refused}) {
        EXPECT_TRUE(may_pass(error)) << describe(error).code.view();
    }
    for (const auto error : {MailError::sign_in_refused, MailError::sign_in_unavailable,
                             MailError::connection_failed, MailError::timed_out}) {
        EXPECT_FALSE(may_pass(error)) << describe(error).code.view();
    }
}

TEST(MailError, a_person_is_told_where_trying_again_soon_is_no_help) {
    for (const auto error : {MailError::sign_in_refused, MailError::certificate_untrusted,
                             MailError::certificate_wrong_name, MailError::certificate_expired,
                             MailError::address_refused}) {
        EXPECT_TRUE(needs_person(error)) << describe(error).code.view();
    }
    for (const auto error :
         {MailError::connection_failed, MailError::connection_lost, MailError::timed_out,
          MailError::tls_failed, MailError::name_not_found, MailError::sign_in_unavailable,
          MailError::provider_refused, MailError::use_ended, MailError::ticket_refused,
          MailError::not_found}) {
        EXPECT_FALSE(needs_person(error)) << describe(error).code.view();
    }
}

}  // namespace
}  // namespace postern::mail
