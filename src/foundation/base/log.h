#pragma once

#include "foundation/base/error.h"
#include "foundation/base/id.h"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// One typed field of a log line. Only what a constructor takes can be logged: numbers, ids, enum
/// names and literals. There is none for std::string, Secret, addresses or mail, on purpose: text
/// from outside goes through sanitised(), which bounds it and escapes control characters.
class LogField {
public:
    LogField(std::string_view name, PublicText literal) : name_(name), value_(literal.view()) {}
    /// The stable code only; the detail goes through sanitised() where it is wanted.
    LogField(std::string_view name, const Error& error) : name_(name), value_(error.code()) {}
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    LogField(std::string_view name, T value) : name_(name), value_(std::to_string(value)) {}
    /// Takes nothing but bool: a pointer would turn into one by itself.
    template <std::same_as<bool> T>
    LogField(std::string_view name, T value) : name_(name), value_(value ? "true" : "false") {}
    template <typename Tag>
    LogField(std::string_view name, const Id<Tag>& id) : name_(name), value_(id.text()) {}

    /// Operator-facing text that is known to hold no personal data (a path, a system error, the
    /// detail of an Error). Cut at 300 bytes, control characters escaped.
    [[nodiscard]] static LogField sanitised(std::string_view name, std::string_view text);

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] const std::string& value() const noexcept { return value_; }

private:
    LogField(std::string_view name, std::string value, int)
        : name_(name), value_(std::move(value)) {}

    std::string_view name_;
    std::string value_;
};

/// Writes `time level process event field=value ...` as one line to standard error with one
/// write(2): lines of several processes never mix.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

/// Lines below it are dropped. Default: info.
void set_log_level(LogLevel level) noexcept;
[[nodiscard]] LogLevel log_level() noexcept;
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view name) noexcept;
/// "front", "keeper", ...: stands in every line of this process. Must be a literal.
void set_log_process(std::string_view literal) noexcept;

}  // namespace postern
