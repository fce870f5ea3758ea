#include "features/mail/authserv.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/replies.h"
#include "foundation/codec/mail/address.h"

#include <algorithm>
#include <string>
#include <vector>

namespace postern::mail {
namespace {

bool is_among(const std::vector<MailAddress>& people, const std::string& address) {
    return std::any_of(people.begin(), people.end(), [&](const MailAddress& person) {
        return codec::is_same_address(person.address, address);
    });
}

}  // namespace

Verdict judge(const Candidate& candidate, const JudgedBy& by) {
    // Nobody, or several authors: nothing that can be held against a participant.
    if (candidate.from.size() != 1) return Verdict::hold_stranger;
    const auto& author = candidate.from.front().address;
    const auto& form = by.reply_addresses;
    const bool is_own =
        codec::is_same_address(author, by.own) || (form && form->tag_of(author).has_value());
    if (is_own) return Verdict::refuse;
    if (!is_among(by.people, author)) return Verdict::hold_stranger;
    for (const auto& recipient : candidate.recipients) {
        const auto& address = recipient.address;
        const bool is_us =
            codec::is_same_address(address, by.own) ||
            (!by.reply_address.empty() && codec::is_same_address(address, by.reply_address));
        if (!is_us && !is_among(by.people, address)) {
            return Verdict::hold_new_recipient;
        }
    }
    if (!by.authserv.empty() && is_forged(candidate.authentication, by.authserv)) {
        return Verdict::hold_unauthenticated;
    }
    return Verdict::admit;
}

}  // namespace postern::mail
