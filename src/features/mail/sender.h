#pragma once

#include "features/mail/learned_ids.h"
#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/send_outcome.h"
#include "features/mail/send_places.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/signal.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {

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
    /// Called when a mail of a mailbox was sent and its copy was, or could not be, looked after.
    void when_sent(std::function<void(WorkspaceId, IntegrationId)> call) {
        when_sent_ = std::move(call);
    }
    /// There is something new to send.
    void wake() { wake_.set(); }
    /// What waited for this mailbox is tried again.
    async::Task<> wake_mailbox(WorkspaceId workspace, IntegrationId integration);

    /// Courier is about to send the final dot. An error keeps it from doing so: each attempt may
    /// ask once, while its call to courier is under way.
    async::Task<> before_final_dot(BeforeFinalDot asked);

private:
    /// What is due and has a place.
    async::Task<> begin_due(UnixMs now_ms);
    async::Task<> begin_page(const std::vector<rows::OutboxRow>* due, UnixMs now_ms);
    /// The server that it goes to; empty where that cannot be told at the moment.
    async::Task<std::string> host_of(rows::OutboxRow row);
    async::Job process(rows::OutboxRow row);
    async::Task<> send(rows::OutboxRow row);
    async::Task<> save_copy(rows::OutboxRow row);
    async::Task<> look_for_unknown(rows::OutboxRow row);
    async::Task<SendMail::Answer> attempt(rows::OutboxRow row, Bytes ticket);
    async::Task<MessageBody> open_body(rows::OutboxRow row);
    async::Task<os::Fd> open_raw(rows::OutboxRow row);
    async::Task<bool> start(rows::OutboxRow* row);
    /// The attempt that courier works on, where it may still be the one that is asked for.
    [[nodiscard]] rows::OutboxRow* awaiting_dot(const BeforeFinalDot& asked);
    async::Task<> take_up(rows::OutboxRow row);
    async::Task<> take_back(rows::OutboxRow row);
    Result<> become_unknown(store::Transaction& tx, const rows::OutboxRow& row);
    async::Task<SaveSent::Answer> copy(rows::OutboxRow row, Bytes ticket);
    async::Task<> settle(rows::OutboxRow row, SendOutcome outcome);
    async::Task<> postpone(rows::OutboxRow row, Error why);
    async::Task<> learn(rows::OutboxRow row, std::string id);
    /// Where only a person can put the error right.
    async::Task<> report(rows::OutboxRow row, std::optional<MailError> error);
    /// The read ledger: courier looked at headers in Sent.
    async::Task<> note_look(rows::OutboxRow row,
                            Result<SaveSent::Answer> looked,
                            std::string_view reason);
    /// It works again, where it did not.
    async::Task<> mend(rows::OutboxRow row);

    Parts parts_;
    RetryPolicy policy_;
    MessageVault vault_;
    LearnedIds learned_;
    std::function<void(WorkspaceId, IntegrationId)> when_sent_;
    async::Signal wake_;
    SendPlaces places_;
    std::map<IntegrationId, std::string> hosts_;
    std::map<MessageId, UnixMs> paused_until_;      // whose rows could not be moved on
    std::map<MessageId, rows::OutboxRow> sending_;  // what courier holds at the moment
};

}  // namespace postern::mail
