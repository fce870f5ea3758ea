#pragma once

#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/known_ids.h"
#include "foundation/base/bytes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mail::courier {

/// Which of our mails a bounce in the open folder is about, asking for as little as can be: the
/// Message-ID of the mail that it holds as its third part (RFC 3464 section 2). Only where it holds
/// none, and the server says that an id of ours stands in its text, the bounce itself is read.
class BounceReader {
public:
    static constexpr std::uint64_t k_plain_bytes_max = 256 * 1024;

    BounceReader(ImapSession& session, const KnownIds& known) : session_(session), known_(known) {}

    /// An id of ours; nothing where it is about another mail, or gone.
    async::Task<std::optional<std::string>> original_id(imap::Uid uid);

private:
    async::Task<std::string> held_id(imap::Uid uid);
    async::Task<bool> names_ours(imap::Uid uid);
    async::Task<WipedBytes> read_plain(imap::Uid uid);

    ImapSession& session_;
    const KnownIds& known_;
};

/// The Message-ID of ours that a line of the text tells.
[[nodiscard]] std::optional<std::string> named_message_id(std::string_view text,
                                                          const KnownIds& known);

}  // namespace postern::mail::courier
