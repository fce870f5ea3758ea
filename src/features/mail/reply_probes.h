#pragma once

#include "features/mail/issued_ids.h"
#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/reply_addresses.h"
#include "foundation/base/id.h"

#include <map>
#include <set>
#include <string>

namespace postern::mail {

/// Sends one mail from a mailbox to a reply address of its own, because a person asked for it, so
/// that its arrival shows whether replies to such addresses arrive. Nothing is queued: until the
/// final dot nothing is stored, at the dot it counts as sent, and it is never sent again by itself.
///
/// Executor: front's thread.
class ReplyProbes {
public:
    explicit ReplyProbes(Parts parts) : parts_(parts), addresses_(parts), issued_(parts) {}

    /// Nothing is sent while one is waited for. Errors: reply_address_not_possible,
    /// integration_sealed, integration_cut_off, MailError: it was not sent.
    async::Task<> ask(WorkspaceId workspace, IntegrationId integration);

    [[nodiscard]] bool is_sending(MessageId message) const { return sending_.contains(message); }
    /// As Sender::before_final_dot, for what is_sending().
    async::Task<> before_final_dot(BeforeFinalDot asked);

private:
    struct Sending {
        WorkspaceId workspace;
        IntegrationId integration;
        rows::ReplyProbeRow row;
        bool dot_was_allowed = false;
    };

    async::Task<> send_one(WorkspaceId workspace, IntegrationId integration);
    async::Task<SendMail> compose_mail(const Mailbox* mailbox, ReplyAddresses::Token token);
    async::Task<> after_answer(Sending sent, SendMail::Answer answer);
    async::Task<> put(Sending sent, rows::ReplyProbeState state);

    Parts parts_;
    ReplyAddresses addresses_;
    IssuedIds issued_;
    std::set<IntegrationId> asked_;
    std::map<MessageId, Sending> sending_;
};

}  // namespace postern::mail
