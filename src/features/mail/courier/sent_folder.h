#pragma once

#include "features/mail/courier/imap_session.h"
#include "features/mail/protocol/courier_protocol.h"

namespace postern::mail::courier {

/// The Sent folder of a mailbox, over a signed-in session that outlives this.
class SentFolder {
public:
    explicit SentFolder(ImapSession& session) : session_(session) {}

    /// Looks for a mail of exactly this Message-ID, and adds it, read already, where there is none.
    /// Without `asked.raw` it only looks. Errors: MailError.
    async::Task<SaveSent::Answer> save(SaveSent asked);

private:
    async::Task<bool> is_there(imap::FolderName folder, std::string id);
    async::Task<> append(imap::FolderName folder, os::Fd raw);

    ImapSession& session_;
};

}  // namespace postern::mail::courier
