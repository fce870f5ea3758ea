#pragma once

#include "features/mail/courier/imap_session.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"

#include <string>

namespace postern::mail::courier {

/// The Sent folder of a mailbox, over a signed-in session that outlives this.
class SentFolder {
public:
    explicit SentFolder(ImapSession& session) : session_(session) {}

    /// Looks for a mail of exactly this Message-ID, or for one that is ours in every other respect
    /// and got another id from its server, and adds ours, read already, where there is none.
    /// Errors: MailError.
    async::Task<SaveSent::Answer> save(SaveSent asked);

private:
    async::Task<bool> is_there(std::string id);
    async::Task<std::string> rewritten_id(ByteView header);
    async::Task<> look_for(imap::FolderName folder,
                           const SaveSent* asked,
                           SaveSent::Answer* answer);
    async::Task<> append(imap::FolderName folder, os::Fd raw);

    ImapSession& session_;
};

}  // namespace postern::mail::courier
