#pragma once

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/error.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What a step of a send leads to, without any input or output.
namespace postern::mail {

/// When a mail that was not delivered is tried again, and when it is given up.
struct RetryPolicy {
    std::chrono::seconds first_pause{15};
    std::chrono::seconds longest_pause{3600};
    std::int64_t attempts_max = 40;
    std::chrono::milliseconds store_pause{5000};  ///< after a write that failed
};

struct SendOutcome {
    rows::Stage stage = rows::Stage::queued;
    MessageState state = MessageState::queued;
    std::string failure_code;   ///< empty: none
    std::int64_t attempts = 0;  ///< at this stage so far
    std::int64_t pause_s = 0;
    bool finished = false;  ///< the row goes
};

/// What a person is told of as the state of the mailbox.
[[nodiscard]] bool needs_person(MailError error);
/// Of these, what is tried again by itself, slowly: certificates and addresses are mended by
/// others.
[[nodiscard]] bool may_pass(MailError error);
[[nodiscard]] std::optional<MailError> mail_error_of(std::string_view code);

/// Courier answered a SendMail. Of the row count its attempts before this one and its stage:
/// sending, or handed_over when the dot may be out.
[[nodiscard]] SendOutcome after_answer(const RetryPolicy& policy,
                                       const rows::OutboxRow& row,
                                       const SendMail::Answer& answer);
/// There was none.
[[nodiscard]] SendOutcome after_no_answer(const RetryPolicy& policy,
                                          const rows::OutboxRow& row,
                                          const Error& error);
/// The copy for Sent could not be made.
[[nodiscard]] SendOutcome after_failed_copy(const RetryPolicy& policy,
                                            std::int64_t attempts,
                                            const Error& error);
/// A mail whose delivery is unknown was looked for in Sent; `error`: the look itself failed.
[[nodiscard]] SendOutcome after_look(std::int64_t attempts,
                                     bool found,
                                     const std::optional<Error>& error);
/// Nothing more can be done at this stage: what is known of the mail stays.
[[nodiscard]] SendOutcome given_up(rows::Stage stage, std::string failure_code);

}  // namespace postern::mail
