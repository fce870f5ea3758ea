#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::codec {

/// What the ids of one mailbox's mails end in: "@{box}.ptn.{domain}". `box` is a random label that
/// stays the same as long as the mailbox is connected: the one key that is searched for.
class IdLabel {
public:
    /// `box`: 4 to 12 of [a-z0-9]. `domain`: ASCII letters, digits, hyphens and dots (an
    /// internationalised one in its xn-- form), any case. Errors: malformed_label.
    [[nodiscard]] static Result<IdLabel> make(std::string_view box, std::string_view domain);
    /// Of text(). Errors: malformed_label.
    [[nodiscard]] static Result<IdLabel> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// Random and the mailbox's own: what an address of its threads is told by, too.
    [[nodiscard]] std::string_view box() const noexcept;
    bool operator==(const IdLabel&) const = default;

private:
    explicit IdLabel(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

/// The Message-ID of one of our mails: "ptn1.{thread}.{number}.{mac}@{box}.ptn.{domain}", of
/// [a-z0-9.@-], at most 72 characters before {domain}, so that nobody folds it. Thread and MAC are
/// lower-case Crockford base32.
struct OurMessageId {
    static constexpr std::uint32_t k_number_max = 99'999;
    static constexpr std::size_t k_bytes_before_domain_max = 72;

    std::array<std::uint8_t, 16> thread{};
    std::uint32_t number = 0;  ///< of the mail in its thread, 1 to k_number_max
    std::array<std::uint8_t, 10> mac{};

    /// Exactly what text() prints; only in the label may the case of letters differ.
    /// Errors: not_our_message_id.
    [[nodiscard]] static Result<OurMessageId> parse(std::string_view id, const IdLabel& label);
    /// Without angle brackets.
    [[nodiscard]] std::string text(const IdLabel& label) const;
    /// What keeper computes the MAC over; its first 10 bytes are `mac`.
    [[nodiscard]] Bytes mac_input(ByteView mailbox) const;

    bool operator==(const OurMessageId&) const = default;
};

}  // namespace postern::codec
