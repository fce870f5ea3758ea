#include "app/config/values.h"

#include "app/config/config.h"
#include "app/config/config_error.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace postern::app::config {
namespace {

constexpr std::size_t k_host_max = 253;
constexpr std::size_t k_text_max = 1000;

using Why = std::optional<std::string>;

struct Address {
    std::array<std::uint8_t, 16> bytes{};
    unsigned bits = 0;  ///< 32 or 128

    [[nodiscard]] bool is_loopback() const {
        if (bits == 32) return bytes[0] == 127;
        const auto zeros = std::ranges::count(bytes, 0);
        return zeros == 15 && bytes[15] == 1;
    }
};

std::optional<Address> parse_address(std::string_view text) {
    const std::string copy(text);
    Address address;
    if (::inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) {
        address.bits = 32;
    } else if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) {
        address.bits = 128;
    } else {
        return std::nullopt;
    }
    return address;
}

std::optional<unsigned> parse_number(std::string_view text, unsigned high) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > high || text.empty()) {
        return std::nullopt;
    }
    return value;
}

bool has_bits_below(const Address& address, unsigned prefix) {
    for (unsigned bit = prefix; bit < address.bits; ++bit) {
        if ((address.bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) return true;
    }
    return false;
}

bool is_host_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

/// "host", "host:port" or "[::1]:port".
bool is_authority(std::string_view text) {
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return false;
        const auto inner = parse_address(text.substr(1, end - 1));
        if (!inner || inner->bits != 128) return false;
        const auto rest = text.substr(end + 1);
        return rest.empty() || (rest.starts_with(':') && parse_number(rest.substr(1), 65535));
    }
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (!parse_number(port, 65535)) return false;
    }
    return !host.empty() && host.size() <= k_host_max && std::ranges::all_of(host, is_host_char);
}

/// Whether a host, an address or a folder has ":PORT" behind it.
bool has_port(std::string_view text) {
    const bool is_bare_v6 =
        !text.starts_with('/') && !text.starts_with('[') && std::ranges::count(text, ':') > 1;
    return !is_bare_v6 && text.contains(':') && !text.ends_with(']');
}

}  // namespace

Why why_no_block(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return "is no address or block; write 10.0.0.0/8 or fd00::/8";
    if (slash == std::string_view::npos) return std::nullopt;
    const auto prefix = parse_number(text.substr(slash + 1), address->bits);
    if (!prefix) return "has no valid prefix length";
    if (has_bits_below(*address, *prefix)) {
        return "has bits set below its prefix: it is an address, not a block";
    }
    return std::nullopt;
}

Why why_no_public_url(std::string_view text) {
    // Without TLS on this machine alone.
    const bool is_local = text == "http://localhost" || text.starts_with("http://localhost:");
    const auto rest = text.starts_with("https://") ? text.substr(8)
                      : is_local                   ? text.substr(7)
                                                   : std::string_view();
    if (text.size() <= k_text_max && is_authority(rest)) return std::nullopt;
    return "must be https://HOST or https://HOST:PORT, without a path";
}

Why why_no_region(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (!text.empty() && text.size() <= 32 && std::ranges::all_of(text, good)) return std::nullopt;
    return "must be a region's short name such as us or eu-west";
}

Why why_no_host(std::string_view text) {
    if (parse_address(text)) return std::nullopt;
    if (!text.empty() && text.size() <= k_host_max && std::ranges::all_of(text, is_host_char)) {
        return std::nullopt;
    }
    return "is no host name or address";
}

Why why_no_path(std::string_view text) {
    if (text.starts_with('/') && text.size() <= k_text_max && text.find('\0') == text.npos) {
        return std::nullopt;
    }
    return "must be an absolute path";
}

Why why_no_log_level(std::string_view text) {
    if (parse_log_level(text)) return std::nullopt;
    return "must be debug, info, warning or error";
}

Why why_no_url(std::string_view text) {
    const auto scheme = text.find("://");
    if (scheme != std::string_view::npos && scheme > 0 && text.size() <= k_text_max &&
        is_authority(text.substr(scheme + 3, text.find('/', scheme + 3) - scheme - 3))) {
        return std::nullopt;
    }
    return "must be an URL";
}

std::optional<NameServer> parse_name_server(std::string_view text) {
    if (parse_address(text)) return NameServer{.address = std::string(text)};
    const auto listen = parse_listen(text, true);
    if (!listen || listen->size() != 1 || listen->front().port == 0) return std::nullopt;
    return NameServer{.address = listen->front().address, .port = listen->front().port};
}

Why why_no_name_server(std::string_view text) {
    if (parse_name_server(text)) return std::nullopt;
    return "is no name server; write ADDRESS or ADDRESS:PORT";
}

Why why_no_database_name(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    const bool begins = !text.empty() && (text[0] < '0' || text[0] > '9');
    if (begins && text.size() <= 63 && std::ranges::all_of(text, good)) return std::nullopt;
    return "must be lower-case letters, digits and _";
}

Result<DatabaseServer::Host> parse_database_host(std::string_view text) {
    const std::string detail =
        "\"" + std::string(text.substr(0, 100)) + "\": write HOST, HOST:PORT or a socket's folder";
    DatabaseServer::Host host;
    const bool folder = text.starts_with('/');
    if (has_port(text)) {
        const auto colon = text.rfind(':');
        const auto port = parse_number(text.substr(colon + 1), 65535);
        if (!port || *port == 0) return fail(ConfigError::invalid_value, detail);
        host.port = static_cast<std::uint16_t>(*port);
        text = text.substr(0, colon);
    }
    if (text.starts_with('[') && text.ends_with(']')) {
        text = text.substr(1, text.size() - 2);
        const auto inner = parse_address(text);
        if (!inner || inner->bits != 128) return fail(ConfigError::invalid_value, detail);
    }
    // A comma would name two.
    const bool good =
        folder ? !why_no_path(text) && text.find(',') == text.npos : !why_no_host(text);
    if (!good) return fail(ConfigError::invalid_value, detail);
    host.name = text;
    return host;
}

std::optional<LogServer> parse_log_server(std::string_view text) {
    const auto host = parse_database_host(text);
    if (!host || host->name.starts_with('/')) return std::nullopt;
    LogServer server;
    server.host = host->name;
    if (has_port(text)) server.port = host->port;
    return server;
}

Why why_no_log_server(std::string_view text) {
    if (parse_log_server(text)) return std::nullopt;
    return "is no log server; write HOST or HOST:PORT";
}

bool is_on_this_machine(const DatabaseServer::Host& host) {
    if (host.name.starts_with('/') || host.name == "localhost") return true;
    const auto address = parse_address(host.name);
    return address && address->is_loopback();
}

Result<std::vector<Listen>> parse_listen(std::string_view text, bool has_certificate) {
    const auto shown = "\"" + std::string(text.substr(0, 100)) + "\"";
    const auto detail = shown + ": write ADDRESS:PORT or localhost:PORT";
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return fail(ConfigError::invalid_value, detail);
    const auto port = parse_number(text.substr(colon + 1), 65535);
    auto host = text.substr(0, colon);
    if (!port) return fail(ConfigError::invalid_value, detail);
    const auto number = static_cast<std::uint16_t>(*port);
    if (host == "localhost") {
        return std::vector<Listen>{{"127.0.0.1", number, false, false},
                                   {"::1", number, false, true}};
    }
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = parse_address(host);
    if (!address || bracketed != (address->bits == 128)) {
        return fail(ConfigError::invalid_value, detail);
    }
    const bool tls = !address->is_loopback();
    if (tls && !has_certificate) return fail(ConfigError::certificate_needed, shown);
    return std::vector<Listen>{{std::string(host), number, tls, false}};
}

}  // namespace postern::app::config
