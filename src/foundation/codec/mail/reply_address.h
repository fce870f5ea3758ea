#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/our_message_id.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::codec {

/// The reply addresses of one mailbox, "{local}+{box}.{tag}@{domain}" of its own address: `box` is
/// that of its search label, `tag` a MAC of one thread in lower-case Crockford base32.
class ReplyAddressForm {
public:
    static constexpr std::size_t k_tag_bytes = 10;
    using Tag = std::array<std::uint8_t, k_tag_bytes>;
    /// RFC 5321 section 4.5.3.1.1.
    static constexpr std::size_t k_local_bytes_max = 64;

    /// Errors: malformed_address, also where the local part has a "+" or no room for the rest, or
    /// the address is not ASCII.
    [[nodiscard]] static Result<ReplyAddressForm> make(std::string_view own, const IdLabel& label);

    /// "+{box}.", which stands in each of them and is what a mailbox is searched for.
    [[nodiscard]] const std::string& needle() const noexcept { return needle_; }
    [[nodiscard]] std::string text(const Tag& tag) const;
    /// Of exactly such an address; only the case of letters may differ, because clients change it.
    [[nodiscard]] std::optional<Tag> tag_of(std::string_view address) const;

    /// What keeper computes the MAC over; its first k_tag_bytes are the tag. `thread`: its token.
    [[nodiscard]] static Bytes mac_input(ByteView mailbox,
                                         const std::array<std::uint8_t, 16>& thread);

private:
    ReplyAddressForm(std::string before, std::string needle, std::string domain)
        : before_(std::move(before)), needle_(std::move(needle)), domain_(std::move(domain)) {}
    std::string before_;  ///< "{local}+{box}."
    std::string needle_;
    std::string domain_;  ///< "@{domain}"
};

}  // namespace postern::codec
