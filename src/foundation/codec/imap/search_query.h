#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/uid_set.h"

#include <span>
#include <string>
#include <string_view>

namespace postern::imap {

/// What may be asked of a mailbox: mails that name one of our own ids or go to an address made for
/// one of our threads, and where those of a day begin. There is no way to search for a sender, a
/// subject or a text.
class SearchQuery {
public:
    struct Replies {
        Uid first_uid = 1;
        Uid last_uid = 0;  ///< 0: up to the newest
        /// Our search label ("@{box}.") or learnt message ids; any of them matches.
        std::span<const std::string> needles;
        bool with_bounces = false;
        /// "+{box}.": what stands in each reply address of the mailbox; empty: not asked for.
        std::string_view address_needle = {};
    };
    /// Mails that answer one of ours, and on request mails of mail systems in whose text the first
    /// needle stands: bounces of ours; and mails that are addressed to one of our reply addresses.
    /// Errors: bad_argument; argument_too_long (search in several chunks).
    [[nodiscard]] static Result<SearchQuery> replies(const Replies& what);
    /// Mails whose Thread-Index begins with this needle, and whose ids do not end in the label:
    /// what replies() does not find. Errors: bad_argument.
    [[nodiscard]] static Result<SearchQuery> thread_index(std::string_view needle,
                                                          std::string_view label,
                                                          Uid first_uid,
                                                          Uid last_uid);
    /// The one mail, where its text tells of a Message-ID that starts like this.
    [[nodiscard]] static Result<SearchQuery> names_message_id(Uid uid, std::string_view start);
    /// Our own copy of a mail, by its Message-ID or a part of it.
    [[nodiscard]] static Result<SearchQuery> message_id(std::string_view id, Uid first_uid = 1);

    /// Mails that came on this day (in UTC) or later, as the server dates them.
    /// Errors: bad_argument, for a time that no mail has.
    [[nodiscard]] static Result<SearchQuery> since(UnixMs day_ms);

    /// The command after its tag, without CRLF.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// Whether an answered uid was asked for: `n:*` also matches the last mail when it lies below
    /// n (RFC 3501 section 6.4.8).
    [[nodiscard]] bool admits(Uid uid) const noexcept {
        return uid >= first_ && (last_ == 0 || uid <= last_);
    }

private:
    SearchQuery(Uid first, Uid last) : first_(first), last_(last) {}
    std::string text_;
    Uid first_;
    Uid last_;
};

}  // namespace postern::imap
