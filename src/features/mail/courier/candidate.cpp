#include "features/mail/courier/candidate.h"

#include "features/mail/courier/author_kind.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/mail/address.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/authentication_results.h"
#include "foundation/codec/mail/message_id.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

void append_addresses(const imap::HeaderBlock& header,
                      std::string_view name,
                      std::size_t max,
                      std::vector<MailAddress>& out) {
    for (const auto value : header.all(name)) {
        // One beyond the bound stands for all that were left out.
        if (out.size() > max) return;
        for (auto& one : codec::parse_address_list(value, max - out.size())) {
            out.push_back({std::move(one.name), std::move(one.address)});
        }
    }
}

AuthResult result_of(codec::AuthVerdict verdict) {
    switch (verdict) {
        case codec::AuthVerdict::pass: return AuthResult::pass;
        case codec::AuthVerdict::fail: return AuthResult::fail;
        case codec::AuthVerdict::undecided: return AuthResult::undecided;
        case codec::AuthVerdict::none: break;
    }
    return AuthResult::none;
}

/// RFC 5321 section 4.5.5: what a mail system itself says comes from nobody.
bool names_a_sender(const imap::HeaderBlock& header) {
    const auto path = header.first("Return-Path");
    return path && !codec::trim(*path).empty() && !codec::trim(*path).starts_with("<>");
}

std::vector<Authentication> authentication_of(const imap::HeaderBlock& header) {
    std::vector<Authentication> out;
    for (const auto value : header.all("Authentication-Results")) {
        if (out.size() == k_authentications_max) break;
        auto one = codec::AuthenticationResults::parse(value);
        if (!one.well_formed()) continue;
        out.push_back(
            {std::move(one.server), result_of(one.dmarc), result_of(one.dkim), result_of(one.spf)});
    }
    return out;
}

}  // namespace

std::vector<std::string> candidate_fields() {
    std::vector<std::string> out{
        "MESSAGE-ID",  "IN-REPLY-TO", "REFERENCES", "FROM", "TO", "CC", "AUTHENTICATION-RESULTS",
        "THREAD-INDEX"};
    std::ranges::move(author_kind_fields(), std::back_inserter(out));
    return out;
}

std::vector<MailAddress> read_recipients(ByteView header) {
    std::vector<MailAddress> out;
    const auto block = imap::HeaderBlock::parse(header);
    if (!block) return out;
    append_addresses(*block, "To", k_recipients_max, out);
    append_addresses(*block, "Cc", k_recipients_max, out);
    return out;
}

Candidate read_candidate(std::uint32_t uid, ByteView header, const KnownIds& known) {
    Candidate out;
    out.uid = uid;
    const auto block = imap::HeaderBlock::parse(header);
    if (!block) return out;
    if (const auto id = block->first("Message-ID")) {
        out.message_id = codec::first_message_id(*id).value_or("");
    }
    for (const auto* field : {"In-Reply-To", "References"}) {
        for (const auto value : block->all(field)) {
            known.append_from(value, k_our_ids_max, out.our_ids);
        }
    }
    if (const auto thread = known.hinted_thread(*block)) {
        out.hinted_thread.assign(thread->begin(), thread->end());
    }
    append_addresses(*block, "From", k_from_max, out.from);
    append_addresses(*block, "To", k_recipients_max, out.recipients);
    append_addresses(*block, "Cc", k_recipients_max, out.recipients);
    out.author_kind = author_kind_of(*block);
    out.is_bounce = may_be_bounce(*block);
    out.has_sender = names_a_sender(*block);
    out.authentication = authentication_of(*block);
    return out;
}

}  // namespace postern::mail::courier
