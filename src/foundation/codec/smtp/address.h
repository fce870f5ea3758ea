#pragma once

#include "foundation/base/result.h"

#include <string>
#include <string_view>

namespace postern::smtp {

/// An address as it may stand in MAIL FROM and RCPT TO: nothing in it can end the path or the
/// line. Whether it exists is the server's to say.
class Address {
public:
    /// Errors: bad_address for control characters, spaces, angle brackets, quotes, malformed
    /// UTF-8, no local part or domain, more than 254 bytes.
    [[nodiscard]] static Result<Address> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool needs_smtputf8() const noexcept;

    bool operator==(const Address&) const = default;

private:
    explicit Address(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

}  // namespace postern::smtp
