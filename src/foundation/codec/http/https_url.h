#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::codec::http {

inline constexpr std::size_t k_url_bytes_max = 2000;

/// An absolute https URL of printable ASCII, without user, password or fragment. It stays as it is
/// written: who compares two of them compares their bytes.
class HttpsUrl {
public:
    [[nodiscard]] static std::optional<HttpsUrl> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// As it stands: a name, an IPv4 address, or an IPv6 address in brackets.
    [[nodiscard]] const std::string& host() const noexcept { return host_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// "host" or "host:port", as it stands in the URL.
    [[nodiscard]] const std::string& authority() const noexcept { return authority_; }
    /// Path and query; "/" where the URL has none.
    [[nodiscard]] const std::string& target() const noexcept { return target_; }
    [[nodiscard]] bool has_query() const noexcept { return target_.find('?') != std::string::npos; }

private:
    std::string text_;
    std::string host_;
    std::string authority_;
    std::string target_;
    std::uint16_t port_ = 443;
};

/// RFC 3986: everything but unreserved characters becomes %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace postern::codec::http
