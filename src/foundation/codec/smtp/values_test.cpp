#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/smtp/address.h"
#include "foundation/codec/smtp/body_encoder.h"
#include "foundation/codec/smtp/extensions.h"
#include "foundation/codec/smtp/limits.h"
#include "foundation/codec/smtp/reply.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::smtp {
namespace {

using namespace std::string_literals;

TEST(Address, accepted_when_it_can_stand_in_a_path) {
    for (const std::string text :
         {"a@b", "ada.lovelace+tag=x@mail.example.org", "o'hara@example.org",
          "j\xc3\xbcrgen@b\xc3\xbc"
          "cher.example",
          "a_b-c!#$%&*/?^`{|}~@x-y.z"}) {
        EXPECT_TRUE(Address::parse(text)) << text;
    }
    EXPECT_FALSE(Address::parse("a@b")->needs_smtputf8());
    EXPECT_TRUE(Address::parse("\xc3\xbc@b")->needs_smtputf8());
    EXPECT_TRUE(Address::parse(std::string(64, 'a') + '@' + std::string(189, 'b')));
}

TEST(Address, refused_when_it_could_end_the_path_or_the_line) {
    const std::vector<std::string> bad{
        "",
        "a",
        "@b",
        "a@",
        "a@b@c",
        "a b@c",
        "a@b\r\nRCPT TO:<x@y>",
        "a\n@b",
        "a\0@b"s,
        "a@b\0"s,
        "a@b>",
        "<a@b",
        "a@b> SIZE=1",
        "\"a\"@b",
        "a\\@b",
        "a,c@b",
        "@x:a@b",
        "a@[127.0.0.1]",
        "a\t@b",
        "a\x7f@b",
        ".a@b",
        "a.@b",
        "a..a@b",
        "a@.b",
        "a@b.",
        "a@b..c",
        "a\xff@b",
        "a\xc3@b",
        "\x80@b",
        std::string(65, 'a') + '@' + std::string(189, 'b'),
    };
    for (const std::string& text : bad) {
        const auto parsed = Address::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_TRUE(parsed.error().is(SmtpError::bad_address));
    }
}

std::string encode(const std::string& text, std::size_t chunk) {
    BodyEncoder encoder;
    WipedBytes out;
    for (std::size_t at = 0; at < text.size(); at += chunk) {
        encoder.encode(as_bytes(std::string_view(text).substr(at, chunk)), out);
    }
    encoder.finish(out);
    return std::string(as_text(ByteView(out.data(), out.size())));
}

TEST(BodyEncoder, stuffs_dots_and_makes_every_line_end_crlf) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ""},
        {"a", "a\r\n"},
        {"a\r\n", "a\r\n"},
        {".", "..\r\n"},
        {"..a\r\n.\r\nb.\r\n", "...a\r\n..\r\nb.\r\n"},
        {"a\nb", "a\r\nb\r\n"},
        {"a\rb", "a\r\nb\r\n"},
        {"a\n.\nb", "a\r\n..\r\nb\r\n"},
        {"a\r.\rb", "a\r\n..\r\nb\r\n"},
        {"a\r\n.\rb\n.\r\n", "a\r\n..\r\nb\r\n..\r\n"},
        {"\r\r\n\n", "\r\n\r\n\r\n"},
        {"\n.", "\r\n..\r\n"},
        {"a\0b\xff"s, "a\0b\xff\r\n"s},
    };
    for (const auto& [text, expected] : cases) {
        for (std::size_t chunk = 1; chunk <= text.size() + 1; ++chunk) {
            EXPECT_EQ(encode(text, chunk), expected) << chunk;
        }
    }
}

TEST(BodyEncoder, output_never_holds_the_end_of_data) {
    // Every text of six characters over what matters.
    constexpr std::string_view k_alphabet = "\r\n.a";
    for (int i = 0; i < 4096; ++i) {
        std::string text;
        for (int rest = i, n = 0; n < 6; rest /= 4, ++n) {
            text += k_alphabet[static_cast<std::size_t>(rest % 4)];
        }
        const std::string out = "\r\n" + encode(text, 1 + static_cast<std::size_t>(i % 6));
        for (const std::string end : {"\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r", "\r.\n"}) {
            EXPECT_EQ(out.find(end), std::string::npos);
        }
        EXPECT_EQ(std::ranges::count(out, '\r'), std::ranges::count(out, '\n'));
        EXPECT_TRUE(out.ends_with("\r\n"));
    }
}

Result<Reply> read_reply(std::string_view text, std::size_t chunk) {
    ReplyReader reader;
    while (!text.empty() && !reader.complete()) {
        const auto taken = reader.consume(as_bytes(text.substr(0, chunk)));
        if (!taken) return fail(taken.error());
        text.remove_prefix(*taken);
    }
    EXPECT_TRUE(reader.complete());
    EXPECT_TRUE(text.empty());
    return reader.take();
}

TEST(Reply, is_read_in_any_chunking) {
    for (const std::size_t chunk : {1, 2, 3, 100}) {
        const auto one = read_reply("250 2.0.0 Ok: queued as 4XyZ <id@host>\r\n", chunk);
        EXPECT_EQ(one->code, 250);
        EXPECT_EQ(one->enhanced, (EnhancedCode{2, 0, 0}));
        EXPECT_EQ(one->text, "2.0.0 Ok: queued as 4XyZ <id@host>");
        EXPECT_TRUE(one->is_positive());
        const auto many =
            read_reply("550-5.7.26 first\r\n550-\r\n550 5.7.26 last\x01\xff\r\n", chunk);
        EXPECT_EQ(many->enhanced, (EnhancedCode{5, 7, 26}));
        EXPECT_EQ(many->text, "5.7.26 first  5.7.26 last??");
        EXPECT_TRUE(many->is_permanent());
        EXPECT_EQ(read_reply("354\r\n", chunk)->code, 354);
        EXPECT_EQ(read_reply("250 4.0.0 odd\r\n", chunk)->enhanced, std::nullopt);
        EXPECT_EQ(read_reply("250 2.0 odd\r\n", chunk)->enhanced, std::nullopt);
        EXPECT_EQ(read_reply("250 2.0.1234 odd\r\n", chunk)->enhanced, std::nullopt);
        EXPECT_EQ(read_reply("250 2.0.0x odd\r\n", chunk)->enhanced, std::nullopt);
    }
}

TEST(Reply, text_is_bounded) {
    std::string text;
    for (int i = 0; i < 99; ++i) {
        text += "250-" + std::string(4000, 'x') + "\r\n";
    }
    EXPECT_EQ(read_reply(text + "250 end\r\n", 4096)->text.size(), k_reply_text_bytes_max);
}

TEST(Reply, refused_when_malformed_or_too_large) {
    std::string lines;
    for (std::size_t i = 0; i <= k_reply_lines_max; ++i) {
        lines += "250-x\r\n";
    }
    const std::vector<std::pair<std::string, SmtpError>> cases{
        {"\r\n", SmtpError::protocol_violation},
        {"25\r\n", SmtpError::protocol_violation},
        {"2500 x\r\n", SmtpError::protocol_violation},
        {"250x\r\n", SmtpError::protocol_violation},
        {"199 x\r\n", SmtpError::protocol_violation},
        {"600 x\r\n", SmtpError::protocol_violation},
        {"-50 x\r\n", SmtpError::protocol_violation},
        {"250 x\n", SmtpError::protocol_violation},
        {"250 x\ry", SmtpError::protocol_violation},
        {"250 x\0"s, SmtpError::protocol_violation},
        {"250-x\r\n550 y\r\n", SmtpError::protocol_violation},
        {"* OK IMAP4rev1\r\n", SmtpError::protocol_violation},
        {"250 " + std::string(k_line_bytes_max, 'x'), SmtpError::line_too_long},
        {lines, SmtpError::too_many_lines},
    };
    for (const auto& [text, error] : cases) {
        for (const std::size_t chunk : {std::size_t{1}, text.size()}) {
            const auto reply = read_reply(text, chunk);
            ASSERT_FALSE(reply) << text.substr(0, 40);
            EXPECT_TRUE(reply.error().is(error)) << text.substr(0, 40);
        }
    }
}

TEST(Extensions, are_read_from_servers_as_they_are) {
    const auto postfix = Extensions::parse(
        {"mail.example.org", "PIPELINING", "SIZE 10240000", "ETRN", "STARTTLS", "AUTH PLAIN LOGIN",
         "AUTH=PLAIN LOGIN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8"});
    EXPECT_TRUE(postfix.start_tls && postfix.auth_plain && postfix.auth_login);
    EXPECT_TRUE(postfix.eight_bit_mime && postfix.smtp_utf8 && postfix.enhanced_status_codes);
    EXPECT_EQ(postfix.size_max, 10240000u);
    const auto exchange = Extensions::parse(
        {"x.outlook.com Hello [192.0.2.1]", "size 157286400", "auth login xoauth2"});
    EXPECT_TRUE(exchange.auth_login && exchange.auth_oauth && !exchange.auth_plain);
    EXPECT_EQ(exchange.size_max, 157286400u);
    EXPECT_TRUE(Extensions::parse({"x", "AUTH=LOGIN"}).auth_login);
}

TEST(Extensions, nothing_is_invented) {
    // The first line is the server's name, whatever it says.
    EXPECT_FALSE(Extensions::parse({"STARTTLS"}).start_tls);
    EXPECT_FALSE(Extensions::parse({}).start_tls);
    const auto odd = Extensions::parse({"x", "", " ", "STARTTLSX", "AUTH", "SIZE", "AUTHPLAIN"});
    EXPECT_FALSE(odd.start_tls || odd.auth_plain);
    EXPECT_EQ(odd.size_max, 0u);
    EXPECT_EQ(Extensions::parse({"x", "SIZE 99999999999999999999999"}).size_max, 0u);
    EXPECT_EQ(Extensions::parse({"x", "SIZE -1"}).size_max, 0u);
}

}  // namespace
}  // namespace postern::smtp
