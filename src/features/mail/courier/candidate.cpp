#include "features/mail/courier/candidate.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/mail/address.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/message_id.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::size_t k_auto_submitted_bytes_max = 64;

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

}  // namespace

std::vector<std::string> candidate_fields() {
    return {"MESSAGE-ID", "IN-REPLY-TO", "REFERENCES",     "FROM",
            "TO",         "CC",          "AUTO-SUBMITTED", "LIST-ID"};
}

Candidate read_candidate(std::uint32_t uid, ByteView header, std::string_view label) {
    Candidate out;
    out.uid = uid;
    const auto block = imap::HeaderBlock::parse(header);
    if (!block) return out;
    if (const auto id = block->first("Message-ID")) {
        out.message_id = codec::first_message_id(*id).value_or("");
    }
    for (const auto* field : {"In-Reply-To", "References"}) {
        for (const auto value : block->all(field)) {
            codec::append_labelled_ids(value, label, k_our_ids_max, out.our_ids);
        }
    }
    append_addresses(*block, "From", k_from_max, out.from);
    append_addresses(*block, "To", k_recipients_max, out.recipients);
    append_addresses(*block, "Cc", k_recipients_max, out.recipients);
    if (const auto value = block->first("Auto-Submitted")) {
        out.auto_submitted = codec::lower(codec::clean_text(*value, k_auto_submitted_bytes_max));
    }
    out.is_list = block->first("List-Id").has_value();
    return out;
}

}  // namespace postern::mail::courier
