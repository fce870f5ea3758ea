#include "platform/syslog/syslog_message.h"

#include "foundation/base/clock.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::syslog {
namespace {

// RFC 5424, 6.2.1: facility times eight, plus severity.
constexpr int k_log_audit = 13;
constexpr int k_notice = 5;
constexpr int k_priority = k_log_audit * 8 + k_notice;
constexpr std::size_t k_host_name_bytes_max = 255;

bool is_printable(char c) {
    return c >= ' ' && c <= '~';
}
bool is_visible(char c) {
    return c > ' ' && c <= '~';
}

}  // namespace

std::optional<std::string> frame_of(const std::string& host_name, const Message& message) {
    const bool is_line = !message.text.empty() && message.text.size() <= k_text_bytes_max &&
                         std::ranges::all_of(message.text, is_printable);
    if (!is_line) return std::nullopt;
    // No process id and no structured data: nothing there would tell more.
    std::string body = "<" + std::to_string(k_priority) + ">1 " + rfc3339(message.at_ms);
    body.append(" ").append(host_name).append(" postern - anchor - ").append(message.text);
    return std::to_string(body.size()) + " " + body;
}

std::string host_name_of(const std::string& public_url) {
    std::string_view rest = public_url;
    const auto scheme = rest.find("://");
    if (scheme == std::string_view::npos) return "-";
    rest.remove_prefix(scheme + 3);
    if (rest.starts_with('[')) {
        rest = rest.substr(1, rest.find(']') - 1);
    } else {
        rest = rest.substr(0, rest.find(':'));
    }
    const bool is_name = !rest.empty() && rest.size() <= k_host_name_bytes_max &&
                         std::ranges::all_of(rest, is_visible);
    return is_name ? std::string(rest) : "-";
}

}  // namespace postern::syslog
