#include "foundation/codec/mail/reply_address.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/crockford.h"
#include "foundation/codec/mail/our_message_id.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::codec {
namespace {

constexpr std::size_t k_tag_digits = 16;
static_assert(k_tag_digits * 5 == ReplyAddressForm::k_tag_bytes * 8);

}  // namespace

Result<ReplyAddressForm> ReplyAddressForm::make(std::string_view own, const IdLabel& label) {
    POSTERN_TRY(const auto address, EmailAddress::parse(own));
    const bool ascii = std::ranges::all_of(own, [](char c) { return c > 0x20 && c < 0x7f; });
    auto needle = "+" + std::string(label.box()) + ".";
    auto before = std::string(address.local_part()) + needle;
    auto domain = "@" + std::string(address.domain());
    const auto local_bytes = before.size() + k_tag_digits;
    const bool fits =
        local_bytes <= k_local_bytes_max && local_bytes + domain.size() <= k_address_bytes_max;
    if (!ascii || !fits || address.local_part().find('+') != std::string_view::npos) {
        return fail(MailTextError::malformed_address);
    }
    return ReplyAddressForm(std::move(before), std::move(needle), std::move(domain));
}

std::string ReplyAddressForm::text(const Tag& tag) const {
    return before_ + crockford(tag) + domain_;
}

std::optional<ReplyAddressForm::Tag> ReplyAddressForm::tag_of(std::string_view address) const {
    if (address.size() != before_.size() + k_tag_digits + domain_.size()) return std::nullopt;
    const auto before = address.substr(0, before_.size());
    const auto digits = address.substr(before_.size(), k_tag_digits);
    const auto domain = address.substr(before_.size() + k_tag_digits);
    Tag tag{};
    const bool is_one = equal_but_for_case(before, before_) && equal_but_for_case(domain, domain_);
    if (!is_one || !from_crockford(lower(digits), tag)) return std::nullopt;
    return tag;
}

Bytes ReplyAddressForm::mac_input(ByteView mailbox, const std::array<std::uint8_t, 16>& thread) {
    // Begins as no message id's input does: both have one key.
    Bytes out = to_bytes(std::string_view("reply1"));
    out.push_back(static_cast<std::uint8_t>(mailbox.size()));
    out.insert(out.end(), mailbox.begin(), mailbox.end());
    out.insert(out.end(), thread.begin(), thread.end());
    return out;
}

}  // namespace postern::codec
