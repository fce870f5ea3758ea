#include "platform/syslog/syslog_message.h"

#include <gtest/gtest.h>
#include <string>

namespace postern::syslog {
namespace {

constexpr UnixMs k_time = 1'764'300'000'123;  // 2025-11-28T03:20:00.123Z

TEST(SyslogMessage, is_what_rfc_5424_and_rfc_5425_write) {
    const auto frame = frame_of("mail.example", {k_time, "postern-anchor-1 wks_1 2"});
    ASSERT_TRUE(frame);
    const std::string body =
        "<109>1 2025-11-28T03:20:00.123Z mail.example postern - anchor - postern-anchor-1 wks_1 2";
    EXPECT_EQ(*frame, std::to_string(body.size()) + " " + body);
    EXPECT_EQ(frame->substr(0, 3), "88 ");
}

TEST(SyslogMessage, takes_one_printable_line_only) {
    EXPECT_TRUE(frame_of("-", {k_time, std::string(k_text_bytes_max, 'a')}));
    for (const auto& text : {std::string(), std::string("a\n8 <109>1 b"), std::string("a\r"),
                             std::string("a\0b", 3), std::string("\x1b[2J"), std::string("\x7f"),
                             std::string("\xc3\xbc"), std::string(k_text_bytes_max + 1, 'a')}) {
        EXPECT_FALSE(frame_of("-", {k_time, text}));
    }
}

TEST(SyslogMessage, is_sent_under_the_host_of_the_public_url) {
    EXPECT_EQ(host_name_of("https://mail.example"), "mail.example");
    EXPECT_EQ(host_name_of("https://mail.example:8443"), "mail.example");
    EXPECT_EQ(host_name_of("http://localhost:8080"), "localhost");
    EXPECT_EQ(host_name_of("https://192.0.2.7:443"), "192.0.2.7");
    EXPECT_EQ(host_name_of("https://[2001:db8::7]:443"), "2001:db8::7");
    for (const auto* none : {"", "mail.example", "https://", "https://a b", "https://:80"})
        EXPECT_EQ(host_name_of(none), "-") << none;
    EXPECT_EQ(host_name_of("https://" + std::string(256, 'a')), "-");
}

}  // namespace
}  // namespace postern::syslog
