#include "foundation/codec/mail/our_message_id.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/crockford.h"
#include "foundation/codec/mail/message_id.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace postern::codec {
namespace {

constexpr std::string_view k_prefix = "ptn1.";
constexpr std::string_view k_middle = ".ptn.";
constexpr std::size_t k_box_bytes_min = 4;
constexpr std::size_t k_box_bytes_max = 12;
constexpr std::size_t k_domain_bytes_max = 253;
constexpr std::size_t k_thread_digits = 26;
constexpr std::size_t k_mac_digits = 16;

static_assert(k_prefix.size() + k_thread_digits + 1 + 5 + 1 + k_mac_digits + 1 + k_box_bytes_max +
                  k_middle.size() <=
              OurMessageId::k_bytes_before_domain_max);

template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> from_base32(std::string_view text) {
    std::array<std::uint8_t, N> out{};
    if (!from_crockford(text, out)) return std::nullopt;
    return out;
}

bool is_box(std::string_view box) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return box.size() >= k_box_bytes_min && box.size() <= k_box_bytes_max &&
           std::ranges::all_of(box, fits);
}

/// No leading zero, no sign: one text for one number.
std::optional<std::uint32_t> parse_number(std::string_view text) {
    std::uint32_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || at != end || text.starts_with('0')) return std::nullopt;
    if (number == 0 || number > OurMessageId::k_number_max) return std::nullopt;
    return number;
}

std::string_view take_until_dot(std::string_view& text) {
    const auto end = std::min(text.find('.'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

}  // namespace

Result<IdLabel> IdLabel::make(std::string_view box, std::string_view domain) {
    const bool ascii = std::ranges::all_of(domain, [](char c) { return c > 0x20 && c < 0x7f; });
    if (!is_box(box) || !ascii || domain.size() > k_domain_bytes_max || !is_domain(domain)) {
        return fail(MailTextError::malformed_label);
    }
    return IdLabel("@" + std::string(box) + std::string(k_middle) + lower(domain));
}

Result<IdLabel> IdLabel::parse(std::string_view text) {
    const auto middle = text.find(k_middle);
    if (!text.starts_with('@') || middle == std::string_view::npos) {
        return fail(MailTextError::malformed_label);
    }
    POSTERN_TRY(auto label,
                make(text.substr(1, middle - 1), text.substr(middle + k_middle.size())));
    if (label.text() != text) return fail(MailTextError::malformed_label);
    return label;
}

std::string_view IdLabel::box() const noexcept {
    return std::string_view(text_).substr(1, text_.find(k_middle) - 1);
}

Result<OurMessageId> OurMessageId::parse(std::string_view id, const IdLabel& label) {
    const auto refused = fail(MailTextError::not_our_message_id);
    if (!id.starts_with(k_prefix) || !ends_in_label(id, label.text())) return refused;
    id.remove_suffix(label.text().size());
    id.remove_prefix(std::min(k_prefix.size(), id.size()));
    const auto thread = from_base32<16>(take_until_dot(id));
    const auto number = parse_number(take_until_dot(id));
    const auto mac = from_base32<10>(id);
    if (!thread || !number || !mac) return refused;
    return OurMessageId{*thread, *number, *mac};
}

std::string OurMessageId::text(const IdLabel& label) const {
    return std::string(k_prefix) + crockford(thread) + "." + std::to_string(number) + "." +
           crockford(mac) + label.text();
}

Bytes OurMessageId::mac_input(ByteView mailbox) const {
    Bytes out = to_bytes(std::string_view("ptn1"));
    // A length before what has no fixed one: no two inputs have the same bytes.
    out.push_back(static_cast<std::uint8_t>(mailbox.size()));
    out.insert(out.end(), mailbox.begin(), mailbox.end());
    out.insert(out.end(), thread.begin(), thread.end());
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<std::uint8_t>(number >> shift));
    }
    return out;
}

}  // namespace postern::codec
