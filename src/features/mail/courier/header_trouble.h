#pragma once

#include "foundation/codec/imap/uid_set.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace postern::mail::courier {

/// Mails that the server does not hand out, or whose header is larger than we take. The latter ends
/// the connection, so without a memory that outlives it the next one would stumble over the mail
/// again. Each part has at most k_entries_max.
struct HeaderTrouble {
    static constexpr std::size_t k_entries_max = 1000;
    /// So often a mail is asked for, each time after a pause, before it is passed over.
    static constexpr unsigned k_refusals_max = 3;
    /// The same where the server says that it cannot at the moment: most likely that is so.
    static constexpr unsigned k_refusals_for_now_max = 60;
    struct Mail {
        std::string folder;
        std::uint32_t uid_validity = 0;
        imap::Uid uid = 0;
        auto operator<=>(const Mail&) const = default;
    };
    struct Refusals {
        unsigned plain = 0;
        unsigned for_now = 0;
    };
    std::set<Mail> doubtful;    ///< one of a batch that failed: asked for one by one
    std::set<Mail> unreadable;  ///< reported without header
    std::map<Mail, Refusals> refusals;

    /// A header that is too large is one of these.
    void note(const std::vector<Mail>& batch);
    /// True when it need not be asked for any more.
    bool refused(const Mail& mail, bool for_now);
};

}  // namespace postern::mail::courier
