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

/// RFC 8601 section 5: a field above the server's own was put there later, one below it may be
/// anybody's.
bool is_unauthenticated(const Candidate& candidate, const std::string& server) {
    const auto& all = candidate.authentication;
    const auto own =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.server == server; });
    return own != all.end() && own->failed;
}

}  // namespace

Verdict judge(const Candidate& candidate, const JudgedBy& by) {
    // Nobody, or several authors: nothing that can be held against a participant.
    if (candidate.from.size() != 1) return Verdict::hold_stranger;
    const auto& author = candidate.from.front().address;
    if (codec::is_same_address(author, by.own)) return Verdict::refuse;
    if (!is_among(by.people, author)) return Verdict::hold_stranger;
    for (const auto& recipient : candidate.recipients) {
        const auto& address = recipient.address;
        if (!codec::is_same_address(address, by.own) && !is_among(by.people, address)) {
            return Verdict::hold_new_recipient;
        }
    }
    if (!by.authserv_id.empty() && is_unauthenticated(candidate, by.authserv_id)) {
        return Verdict::hold_unauthenticated;
    }
    return Verdict::admit;
}

}  // namespace postern::mail
