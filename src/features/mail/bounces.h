#pragma once

#include "features/mail/issued_ids.h"
#include "features/mail/mail_store.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

/// Takes in what mail systems tell of our mails. A bounce is no message of its thread: what it says
/// of a recipient is kept with the mail that bounced, sealed for that recipient, and the bounce is
/// dropped. Only recipients that the mail had count.
///
/// Executor: front's thread.
class Bounces {
public:
    explicit Bounces(Parts parts) : parts_(parts), vault_(parts.keeper), issued_(parts) {}

    /// `fetch` says where it lies. False where it is about no mail of ours, or says nothing of its
    /// recipients; what failed for now is an error. Lifetime: mailbox and candidate outlive it.
    async::Task<bool> take(const Mailbox* mailbox,
                           FetchMail fetch,
                           Bytes folder_mac,
                           const Candidate* candidate);

private:
    struct About {
        rows::MessageRow message;
        std::vector<MailAddress> recipients;
    };
    struct Read {
        BounceReport report;
        std::int64_t bytes = 0;
    };
    async::Task<std::optional<About>> find(const Mailbox* mailbox, const Candidate* candidate);
    async::Task<std::optional<Read>> read(WorkspaceId workspace, FetchMail fetch);
    async::Task<std::vector<rows::NewBounce>> seal(WorkspaceId workspace,
                                                   const About* about,
                                                   const BounceReport* report);
    async::Task<> store(const Mailbox* mailbox,
                        rows::MessageRow message,
                        std::vector<rows::NewBounce> bounces,
                        rows::LedgerEntry entry);

    Parts parts_;
    MessageVault vault_;
    IssuedIds issued_;
};

}  // namespace postern::mail
