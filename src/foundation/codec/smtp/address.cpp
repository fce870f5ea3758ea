#include "foundation/codec/smtp/address.h"

#include "foundation/base/result.h"
#include "foundation/codec/smtp/limits.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::smtp {

namespace {

bool is_path_char(char c) {
    constexpr std::string_view k_never = "<>()[],;:\\\"";
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && k_never.find(c) == std::string_view::npos;
}

std::size_t utf8_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

/// Lead and continuation bytes fit; overlong three and four byte forms are the server's concern.
bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(static_cast<unsigned char>(text.front()));
        if (length == 0 || length > text.size()) return false;
        const bool continues = std::ranges::all_of(text.substr(1, length - 1), [](char c) {
            return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u;
        });
        if (!continues) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// "a.b" but not ".a", "a." or "a..b".
bool is_dotted(std::string_view text) {
    return !text.empty() && text.front() != '.' && text.back() != '.' &&
           text.find("..") == std::string_view::npos;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
    const std::size_t at = text.find('@');
    const bool ok = text.size() <= k_address_bytes_max && at != std::string_view::npos &&
                    at == text.rfind('@') && is_dotted(text.substr(0, at)) &&
                    is_dotted(text.substr(at + 1)) && std::ranges::all_of(text, is_path_char) &&
                    is_utf8(text);
    if (!ok) return fail(SmtpError::bad_address);
    return Address(std::string(text));
}

bool Address::needs_smtputf8() const noexcept {
    return std::ranges::any_of(text_, [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
}

}  // namespace postern::smtp
