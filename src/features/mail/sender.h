#pragma once

#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "platform/async/signal.h"

#include <chrono>
#include <map>
#include <set>
#include <string>

namespace postern::mail {

/// When a mail that was not delivered is tried again, and when it is given up.
struct RetryPolicy {
    std::chrono::seconds first_pause{15};
    std::chrono::seconds longest_pause{3600};
    std::int64_t attempts_max = 40;
};

/// The send queue: each mail goes out at most once. What is done is written down before the next
/// step, so that a crash at any moment leaves a mail that is either still to be sent, or sent, or
/// (only when it hit the moment of the final dot) unknown and then never sent again by itself.
///
/// Executor: front's thread.
class Sender {
public:
    Sender(Parts parts, RetryPolicy policy);

    /// Before run(): takes up what a crash left.
    async::Task<> recover();
    async::Job run();
    /// There is something new to send.
    void wake() { wake_.set(); }
    /// What waited for this mailbox is tried again.
    async::Task<> wake_mailbox(WorkspaceId workspace, IntegrationId integration);

    /// Courier is about to send the final dot. An error keeps it from doing so.
    async::Task<> before_final_dot(MessageId message);

private:
    struct Outcome {
        rows::Stage stage = rows::Stage::queued;
        MessageState state = MessageState::queued;
        std::string failure_code;
        std::int64_t pause_s = 0;
        bool finished = false;  ///< the row goes
        bool counts = true;     ///< as an attempt
    };

    async::Job process(rows::OutboxRow row);
    async::Task<> send(rows::OutboxRow row);
    async::Task<> save_copy(rows::OutboxRow row);
    async::Task<> look_for_unknown(rows::OutboxRow row);
    async::Task<Outcome> attempt(rows::OutboxRow row, Bytes ticket);
    async::Task<SendMail> prepare(const rows::OutboxRow& row, Bytes ticket);
    async::Task<bool> start(rows::OutboxRow& row);
    async::Task<> settle(rows::OutboxRow row, Outcome outcome);
    async::Task<> postpone(rows::OutboxRow row, const Error& why);
    [[nodiscard]] Outcome outcome_of(const rows::OutboxRow& row,
                                     const SendMail::Answer& answer) const;
    [[nodiscard]] Outcome retry(const rows::OutboxRow& row, std::string failure_code) const;

    Parts parts_;
    RetryPolicy policy_;
    MessageVault vault_;
    async::Signal wake_;
    std::set<MessageId> in_flight_;
    std::map<MessageId, UnixMs> paused_until_;      // whose rows could not be moved on
    std::map<MessageId, rows::OutboxRow> sending_;  // what courier holds at the moment
};

}  // namespace postern::mail
