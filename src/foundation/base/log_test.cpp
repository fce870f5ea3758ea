#include "foundation/base/log.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace postern {
namespace {

enum class LampError : std::uint8_t { broken };
constexpr ErrorInfo describe(LampError /*error*/) {
    return {.code = "lamp_broken", .text = "The lamp is broken."};
}

template <typename T>
concept LoggableValue = requires(T&& value) { LogField("name", static_cast<T&&>(value)); };
template <typename T>
concept LogsLine = requires(T&& value) { log(LogLevel::info, "event", {{"name", value}}); };

// Logging a secret, or text from outside, does not compile: by value, by reference, in a call.
static_assert(!LoggableValue<Secret>);
static_assert(!LoggableValue<Secret&>);
static_assert(!LoggableValue<const Secret&>);
static_assert(!LoggableValue<const Secret*>);
static_assert(!LogsLine<Secret&>);
static_assert(!LogsLine<const Secret&>);
static_assert(!LoggableValue<std::string>);
static_assert(!LoggableValue<const std::string&>);
static_assert(!LoggableValue<std::string_view>);
static_assert(!LoggableValue<const char*>);
static_assert(!LoggableValue<char*>);
static_assert(!LoggableValue<ByteView>);
static_assert(!LoggableValue<Bytes>);
static_assert(!LoggableValue<double>);
static_assert(!LoggableValue<WipedBytes>);
static_assert(!std::is_default_constructible_v<LogField>);

static_assert(LoggableValue<int>);
static_assert(LoggableValue<bool>);
static_assert(LoggableValue<const ThreadId&>);
static_assert(LoggableValue<const Error&>);
static_assert(LogsLine<int>);

/// What one call writes to standard error.
template <typename F>
std::string logged(F&& write) {
    testing::internal::CaptureStderr();
    write();
    return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
protected:
    void TearDown() override { set_log_level(LogLevel::info); }
};

TEST_F(Log, writes_time_level_process_event_and_fields_as_one_line) {
    set_log_process("keeper");
    const auto line =
        logged([] { log(LogLevel::warning, "lease_ended", {{"count", 3}, {"by_person", true}}); });
    set_log_process("postern");
    EXPECT_TRUE(parse_rfc3339(line.substr(0, line.find(' '))).has_value()) << line;
    EXPECT_EQ(line.substr(line.find(' ')), " warning keeper lease_ended count=3 by_person=true\n");
}

TEST_F(Log, shows_literals_ids_and_the_code_of_an_error_without_its_detail) {
    const Error error(LampError::broken, "serial 77");
    const auto id = ThreadId(std::array<std::uint8_t, 16>{});
    const auto line = logged([&] {
        log(LogLevel::info, "seen", {{"state", "sealed"}, {"error", error}, {"thread", id}});
    });
    EXPECT_NE(line.find(" state=sealed error=lamp_broken thread=thr_00000000000000000000000000\n"),
              std::string::npos)
        << line;
    EXPECT_EQ(line.find("serial"), std::string::npos);
}

TEST_F(Log, drops_what_is_below_its_level) {
    EXPECT_EQ(logged([] { log(LogLevel::debug, "noise"); }), "");
    set_log_level(LogLevel::error);
    EXPECT_EQ(log_level(), LogLevel::error);
    EXPECT_EQ(logged([] { log(LogLevel::warning, "noise"); }), "");
    EXPECT_NE(logged([] { log(LogLevel::error, "loud"); }), "");
}

TEST_F(Log, keeps_one_line_whatever_the_text_from_outside_holds) {
    const auto line = logged([] {
        log(LogLevel::info, "path", {LogField::sanitised("file", "a\nerror forged=1\r\x1b[31m")});
    });
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_NE(line.find(R"(file="a\x0aerror forged=1\x0d\x1b[31m")"), std::string::npos) << line;
}

TEST_F(Log, quotes_values_that_would_look_like_more_fields) {
    const auto value_of = [](std::string_view text) {
        const auto line =
            logged([&] { log(LogLevel::info, "e", {LogField::sanitised("v", text)}); });
        return line.substr(line.find(" v=") + 3);
    };
    EXPECT_EQ(value_of("plain"), "plain\n");
    EXPECT_EQ(value_of(""), "\"\"\n");
    EXPECT_EQ(value_of("a b=c"), "\"a b=c\"\n");
    EXPECT_EQ(value_of("say \"x\""), "\"say \\\"x\\\"\"\n");
}

TEST(LogField, escapes_control_characters_backslashes_and_bytes_above_ascii) {
    const auto field = LogField::sanitised("v", std::string_view("\0\x7f\\\xc3\xa9 z", 7));
    EXPECT_EQ(field.name(), "v");
    EXPECT_EQ(field.value(), R"(\x00\x7f\x5c\xc3\xa9 z)");
}

TEST(LogField, cuts_long_text_at_300_bytes) {
    EXPECT_EQ(LogField::sanitised("v", std::string(300, 'a')).value().size(), 300U);
    EXPECT_EQ(LogField::sanitised("v", std::string(1'000'000, 'a')).value().size(), 300U);
    EXPECT_EQ(LogField::sanitised("v", std::string(1'000'000, '\n')).value().size(), 1200U);
}

TEST(LogLevel, is_read_by_its_exact_name_only) {
    EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
    EXPECT_EQ(parse_log_level("info"), LogLevel::info);
    EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
    EXPECT_EQ(parse_log_level("error"), LogLevel::error);
    for (const char* name : {"", "INFO", "warn", "error ", "trace", "0"}) {
        EXPECT_EQ(parse_log_level(name), std::nullopt) << name;
    }
}

}  // namespace
}  // namespace postern
