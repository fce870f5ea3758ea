#include "features/mail/send_outcome.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/error.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::mail {
namespace {

constexpr std::int64_t k_wait_for_person_s = 24 * 3600;
constexpr std::int64_t k_slow_pause_s = 3600;
constexpr std::int64_t k_unknown_looks = 5;
constexpr std::int64_t k_unknown_pause_s = 30;

bool waits_for_person(const std::optional<MailError>& error) {
    return error && needs_person(*error) && !may_pass(*error);
}
bool waits_for_server(const std::optional<MailError>& error) {
    return error && may_pass(*error);
}

SendOutcome retry(const RetryPolicy& policy, std::int64_t attempts, std::string failure_code) {
    SendOutcome out;
    out.failure_code = std::move(failure_code);
    out.attempts = attempts + 1;
    if (out.attempts >= policy.attempts_max) {
        out.state = MessageState::failed;
        out.finished = true;
        return out;
    }
    const auto doublings = std::min<std::int64_t>(attempts, 12);
    out.pause_s = std::min(policy.first_pause.count() << doublings, policy.longest_pause.count());
    return out;
}

/// Hours instead of seconds.
SendOutcome retry_slowly(const RetryPolicy& policy,
                         std::int64_t attempts,
                         std::string failure_code) {
    auto out = retry(policy, attempts, std::move(failure_code));
    out.pause_s = k_slow_pause_s << std::min<std::int64_t>(attempts, 2);
    return out;
}

/// The looks at Sent are counted from here.
SendOutcome unknown() {
    SendOutcome out;
    out.stage = rows::Stage::unknown;
    out.state = MessageState::unknown;
    out.failure_code = "connection_lost";
    out.pause_s = k_unknown_pause_s;
    return out;
}

}  // namespace

bool needs_person(MailError error) {
    return error == MailError::sign_in_refused || may_pass(error);
}

bool may_pass(MailError error) {
    return error == MailError::certificate_untrusted ||
           error == MailError::certificate_wrong_name || error == MailError::certificate_expired ||
           error == MailError::address_refused;
}

std::optional<MailError> mail_error_of(std::string_view code) {
    for (int i = 0; i <= static_cast<int>(MailError::mail_unreadable); ++i) {
        const auto error = static_cast<MailError>(i);
        if (describe(error).code.view() == code) return error;
    }
    return std::nullopt;
}

SendOutcome after_answer(const RetryPolicy& policy,
                         const rows::OutboxRow& row,
                         const SendMail::Answer& answer) {
    const auto attempts = row.attempts;
    SendOutcome out;
    if (answer.result == SendResult::sent) {
        out.stage = rows::Stage::copy;
        out.state = MessageState::sent;
        return out;
    }
    if (answer.result == SendResult::unknown) return unknown();
    // Once the dot was allowed, only the server's answer to it says that nothing was delivered.
    const bool answers_the_dot =
        answer.result == SendResult::refused && answer.stage == SendStage::final_dot;
    if (row.stage == rows::Stage::handed_over && !answers_the_dot) return unknown();
    auto code = answer.error_code.empty() ? "connection_lost" : answer.error_code;
    if (answer.result == SendResult::refused) {
        code = answer.code == 0 ? answer.error_code : "smtp_" + std::to_string(answer.code);
    }
    const auto error = mail_error_of(answer.error_code);
    if (waits_for_server(error)) return retry_slowly(policy, attempts, std::move(code));
    if (waits_for_person(error)) {
        out.failure_code = std::move(code);
        out.attempts = attempts;
        out.pause_s = k_wait_for_person_s;
        return out;
    }
    if (answer.result == SendResult::broken || answer.transient ||
        answer.stage < SendStage::mail_from) {
        return retry(policy, attempts, std::move(code));
    }
    return given_up(rows::Stage::queued, std::move(code));
}

SendOutcome after_no_answer(const RetryPolicy& policy,
                            const rows::OutboxRow& row,
                            const Error& error) {
    // No answer about a mail whose dot may be sent says nothing about its delivery.
    if (row.stage == rows::Stage::handed_over) return unknown();
    std::string code(error.code());
    // One of its people was erased: no later attempt could read it.
    if (error.is(MailServiceError::not_readable)) {
        return given_up(rows::Stage::queued, std::move(code));
    }
    return retry(policy, row.attempts, std::move(code));
}

SendOutcome after_failed_copy(const RetryPolicy& policy,
                              std::int64_t attempts,
                              const Error& error) {
    if (error.is(MailServiceError::not_readable)) return given_up(rows::Stage::copy, "");
    const auto reason = error.as<MailError>();
    auto out =
        waits_for_server(reason) ? retry_slowly(policy, attempts, "") : retry(policy, attempts, "");
    if (waits_for_person(reason)) {
        out.attempts = attempts;
        out.pause_s = k_wait_for_person_s;
        out.finished = false;
    }
    out.stage = rows::Stage::copy;
    out.state = MessageState::sent;
    return out;
}

SendOutcome after_look(std::int64_t attempts, bool found, const std::optional<Error>& error) {
    if (found) return given_up(rows::Stage::copy, "");
    auto out = unknown();
    const auto reason = error ? error->as<MailError>() : std::nullopt;
    if (waits_for_person(reason) || waits_for_server(reason)) {
        out.attempts = attempts;
        out.pause_s = waits_for_person(reason) ? k_wait_for_person_s : k_slow_pause_s;
        return out;
    }
    out.attempts = attempts + 1;
    out.pause_s = k_unknown_pause_s << std::min<std::int64_t>(attempts, 8);
    out.finished = out.attempts >= k_unknown_looks;
    return out;
}

SendOutcome given_up(rows::Stage stage, std::string failure_code) {
    SendOutcome out;
    out.stage = stage;
    out.finished = true;
    out.state = stage == rows::Stage::queued ? MessageState::failed
                : stage == rows::Stage::copy ? MessageState::sent
                                             : MessageState::unknown;
    if (out.state != MessageState::sent) out.failure_code = std::move(failure_code);
    return out;
}

}  // namespace postern::mail
