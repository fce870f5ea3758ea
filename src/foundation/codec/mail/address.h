#pragma once

#include "foundation/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::codec {

enum class MailTextError { malformed_address, malformed_label, not_our_message_id };

constexpr ErrorInfo describe(MailTextError error) {
    switch (error) {
        case MailTextError::malformed_address:
            return {"malformed_address", "This is not a mail address."};
        case MailTextError::malformed_label:
            return {"malformed_label", "This is not a search label."};
        case MailTextError::not_our_message_id:
            return {"not_our_message_id", "This message id is not one of Postern's."};
    }
    return {"malformed_address", "This is not a mail address."};
}

/// Octets of a path without angle brackets (RFC 5321 section 4.5.3.1.3, erratum 1690).
inline constexpr std::size_t k_address_bytes_max = 254;
inline constexpr std::size_t k_display_name_bytes_max = 200;
/// How much of one address field is looked at.
inline constexpr std::size_t k_address_field_bytes_max = 1024 * 1024;

/// Labels of letters, digits, hyphens, underscores and non-ASCII characters between single dots.
[[nodiscard]] bool is_domain(std::string_view text) noexcept;

/// Equal but for the case of ASCII letters: how participants are compared.
[[nodiscard]] bool is_same_address(std::string_view a, std::string_view b) noexcept;

/// One address as a person or an API client gives it: a dot-atom, "@" and a domain, nothing around
/// it, nothing quoted. The domain is kept in lower case, an internationalised one as UTF-8.
class EmailAddress {
public:
    /// Errors: malformed_address.
    [[nodiscard]] static Result<EmailAddress> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] std::string_view local_part() const noexcept {
        return std::string_view(text_).substr(0, at_);
    }
    [[nodiscard]] std::string_view domain() const noexcept {
        return std::string_view(text_).substr(at_ + 1);
    }
    /// Whether both name the same participant.
    bool operator==(const EmailAddress& other) const noexcept {
        return is_same_address(text_, other.text_);
    }

private:
    EmailAddress(std::string text, std::size_t at) : text_(std::move(text)), at_(at) {}
    std::string text_;
    std::size_t at_;
};

struct ListedAddress {
    std::string name;     ///< decoded, fit to be shown, at most k_display_name_bytes_max
    std::string address;  ///< domain in lower case; empty: there is somebody who cannot be read

    bool operator==(const ListedAddress&) const = default;
};

/// The mailboxes of an address field (RFC 5322 sections 3.4 and 4.4), groups taken apart. Made for
/// deciding who a mail is from and who else gets it, so nobody is passed over: what cannot be read
/// becomes an entry without address, and so does all that lies beyond `addresses_max`.
[[nodiscard]] std::vector<ListedAddress> parse_address_list(std::string_view value,
                                                            std::size_t addresses_max);

}  // namespace postern::codec
