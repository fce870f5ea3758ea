#include "foundation/base/log.h"

#include "foundation/base/clock.h"

#include <unistd.h>
#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern {
namespace {

constexpr std::size_t k_value_bytes_max = 300;
std::atomic<LogLevel> g_level{LogLevel::info};
std::string_view g_process = "postern";

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

void append_value(std::string& line, std::string_view value) {
    const bool plain = !value.empty() && value.find_first_of(" =\"") == std::string_view::npos;
    if (plain) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '"') line += '\\';
        line += c;
    }
    line += '"';
}

}  // namespace

LogField LogField::sanitised(std::string_view name, std::string_view text) {
    std::string value;
    for (const char c : text.substr(0, k_value_bytes_max)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '\\') {
            constexpr std::string_view k_hex = "0123456789abcdef";
            value += "\\x";
            value += k_hex[byte >> 4];
            value += k_hex[byte & 15U];
        } else {
            value += c;
        }
    }
    return {name, std::move(value), 0};
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (level < g_level.load(std::memory_order_relaxed)) return;
    std::string line = rfc3339(SystemClock().now_ms());
    ((line += ' ') += level_name(level)) += ' ';
    (line += g_process) += ' ';
    line += event;
    for (const auto& field : fields) {
        ((line += ' ') += field.name()) += '=';
        append_value(line, field.value());
    }
    line += '\n';
    // A log that cannot be written must not stop the work that is logged.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void set_log_level(LogLevel level) noexcept {
    g_level = level;
}
LogLevel log_level() noexcept {
    return g_level;
}

std::optional<LogLevel> parse_log_level(std::string_view name) noexcept {
    for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
        if (name == level_name(level)) return level;
    }
    return std::nullopt;
}

void set_log_process(std::string_view literal) noexcept {
    g_process = literal;
}

}  // namespace postern
