#pragma once

#include "features/mail/courier/imap_session.h"
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

    BounceReader(ImapSession& session, std::string_view label) : session_(session), label_(label) {}

    /// An id that ends in our label; nothing where it is about another mail, or gone.
    async::Task<std::optional<std::string>> original_id(imap::Uid uid);

private:
    async::Task<std::string> held_id(imap::Uid uid);
    async::Task<bool> names_ours(imap::Uid uid);
    async::Task<WipedBytes> read_plain(imap::Uid uid);

    ImapSession& session_;
    std::string label_;
};

/// The Message-ID of a line of text that ends in our label.
[[nodiscard]] std::optional<std::string> named_message_id(std::string_view text,
                                                          std::string_view label);

}  // namespace postern::mail::courier
