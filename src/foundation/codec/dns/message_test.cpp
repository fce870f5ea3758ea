#include "foundation/codec/dns/message.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/limits.h"
#include "foundation/codec/dns/name.h"
#include "foundation/codec/dns/packet_test.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::dns {
namespace {

using test::domain;
using test::Packet;

constexpr std::uint16_t k_id = 0x1234;
const Question k_srv{domain("_imaps._tcp.brand.example"), RecordType::srv};
const Question k_mx{domain("brand.example"), RecordType::mx};
const SrvRecord k_mail{0, 1, 993, domain("mail.brand.example")};

Result<Answer> parse(const Packet& packet, const Question& question = k_srv) {
    return parse_answer(packet.bytes(), k_id, question);
}
/// "0 1 993 mail.brand.example;", or the error.
std::string seen(const Result<Answer>& answer) {
    if (!answer) return "error " + std::string(answer.error().code());
    std::string out = answer->truncated ? "truncated" : "";
    for (const auto& srv : answer->srv) {
        out += std::to_string(srv.priority) + ' ' + std::to_string(srv.weight) + ' ' +
               std::to_string(srv.port) + ' ' + srv.target.text() + ';';
    }
    for (const auto& mx : answer->mx)
        out += std::to_string(mx.preference) + ' ' + mx.exchange.text() + ';';
    return out;
}

TEST(DomainName, reads_names_and_refuses_what_is_none) {
    const std::pair<std::string, std::string> good[] = {
        {"Brand.Example", "brand.example"},
        {"brand.example.", "brand.example"},
        {"_imaps._tcp.x", "_imaps._tcp.x"},
        {"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
        {std::string(63, 'a') + ".b", std::string(63, 'a') + ".b"}};
    for (const auto& [text, name] : good)
        EXPECT_EQ(DomainName::parse(text).value().text(), name) << text;
    const std::string long_name = std::string(63, 'a') + '.' + std::string(63, 'b') + '.' +
                                  std::string(63, 'c') + '.' + std::string(62, 'd');
    EXPECT_FALSE(DomainName::parse(long_name));
    EXPECT_TRUE(DomainName::parse(long_name.substr(1)));
    for (const std::string text :
         {"", ".", "..", "a..b", ".a", "a b", "a\nb", "m\xc3\xbcnchen.de", "a/b", "a@b", "a\\.b"})
        EXPECT_FALSE(DomainName::parse(text)) << text;
    EXPECT_FALSE(DomainName::parse(std::string(64, 'a') + ".b"));
    EXPECT_FALSE(DomainName::parse(std::string("a\0b", 3)));
}

TEST(DomainName, is_within_itself_and_what_is_above_it) {
    const auto name = domain("mail.brand.example");
    EXPECT_TRUE(name.is_within(domain("brand.example")));
    EXPECT_TRUE(name.is_within(name));
    EXPECT_TRUE(name.is_within(DomainName()));
    EXPECT_FALSE(name.is_within(domain("rand.example")));
    EXPECT_FALSE(domain("evilbrand.example").is_within(domain("brand.example")));
    EXPECT_FALSE(domain("brand.example").is_within(name));
}

TEST(Query, holds_the_question_and_nothing_else) {
    Packet expected;
    expected.number(k_id).number(0x0100).number(1).number(0).number(0).number(1);
    expected.name("_imaps._tcp.brand.example").number(33).number(1);
    expected.name("").number(41).number(1232).number(0).number(0).number(0);
    EXPECT_EQ(encode_query(k_id, k_srv), expected.bytes());
}

TEST(ParseAnswer, reads_the_records_that_were_asked_for) {
    Packet packet;
    packet.head(k_id, k_srv, 4);
    packet.pointer(12).srv(k_mail);
    packet.name("_IMAPS._tcp.Brand.example").srv({10, 0, 1993, domain("other.example")});
    packet.pointer(12).record(16, Bytes{3, 'a', 'b', 'c'});
    packet.name("unasked.example").srv({0, 0, 1, domain("evil.example")});
    EXPECT_EQ(seen(parse(packet)), "0 1 993 mail.brand.example;10 0 1993 other.example;");

    Packet mx;
    mx.head(k_id, k_mx, 1).pointer(12).mx({5, domain("in.brand.example")});
    EXPECT_EQ(seen(parse(mx, k_mx)), "5 in.brand.example;");
}

TEST(ParseAnswer, reads_compressed_targets_and_the_refusal_of_a_service) {
    Packet packet;
    packet.head(k_id, k_srv, 2);
    // "mail" and then a pointer to "brand.example" behind "_imaps._tcp".
    const auto target = Packet().number(0).number(0).number(993).raw("\4mail").pointer(12 + 12);
    packet.pointer(12).record(33, target.bytes());
    packet.pointer(12).srv({0, 0, 0, DomainName()});
    EXPECT_EQ(seen(parse(packet)), "0 0 993 mail.brand.example;0 0 0 ;");
}

TEST(ParseAnswer, follows_aliases_in_any_order) {
    const auto data = [](std::string_view name) { return Packet().name(name).bytes(); };
    Packet packet;
    packet.head(k_id, k_srv, 4);
    packet.name("c.example").srv(k_mail);
    packet.name("b.example").record(5, data("c.example"));
    packet.pointer(12).record(5, data("b.example"));
    packet.name("b.example").srv({0, 0, 9, domain("not.at.the.end.example")});
    EXPECT_EQ(seen(parse(packet)), "0 1 993 mail.brand.example;");
}

TEST(ParseAnswer, no_such_name_and_no_such_record_are_answers) {
    EXPECT_EQ(seen(parse(Packet().head(k_id, k_srv, 0, 0x8183))), "");
    EXPECT_EQ(seen(parse(Packet().head(k_id, k_srv, 0))), "");
}

TEST(ParseAnswer, truncated_ones_are_asked_for_again) {
    EXPECT_EQ(seen(parse(Packet().head(k_id, k_srv, 9, 0x8380))), "truncated");
}

TEST(ParseAnswer, failures_of_the_server_are_told) {
    for (const std::size_t code : {1, 2, 4, 5, 9})
        EXPECT_EQ(seen(parse(Packet().head(k_id, k_srv, 0, 0x8180 + code))), "error server_failed");
}

TEST(ParseAnswer, what_answers_another_question_is_not_an_answer) {
    const Question others[] = {{domain("_imaps._tcp.evil.example"), RecordType::srv},
                               {k_srv.name, RecordType::mx}};
    for (const auto& other : others) {
        Packet packet;
        packet.head(k_id, other, 1).pointer(12).srv(k_mail);
        EXPECT_EQ(seen(parse(packet)), "error not_an_answer");
    }
    for (const auto& [id, flags] : std::vector<std::pair<std::uint16_t, std::size_t>>{
             {k_id + 1, 0x8180}, {k_id, 0x0180}, {k_id, 0x9180}, {0, 0x8180}}) {
        EXPECT_EQ(seen(parse(Packet().head(id, k_srv, 0, flags))), "error not_an_answer");
    }
    Packet two_questions;
    two_questions.number(k_id).number(0x8180).number(2).number(0).number(0).number(0);
    two_questions.name(k_srv.name.text()).number(33).number(1);
    EXPECT_EQ(seen(parse(two_questions)), "error not_an_answer");
    Packet other_class;
    other_class.number(k_id).number(0x8180).number(1).number(0).number(0).number(0);
    other_class.name(k_srv.name.text()).number(33).number(3);
    EXPECT_EQ(seen(parse(other_class)), "error not_an_answer");
}

TEST(ParseAnswer, cut_short_at_any_byte_it_gives_no_records) {
    Packet packet;
    packet.head(k_id, k_srv, 2).pointer(12).srv(k_mail).pointer(12).srv(k_mail);
    ASSERT_EQ(parse(packet)->srv.size(), 2U);
    for (std::size_t size = 0; size < packet.size(); ++size) {
        const auto answer = parse_answer(ByteView(packet.bytes()).first(size), k_id, k_srv);
        EXPECT_FALSE(answer) << size;
    }
}

TEST(ParseAnswer, loops_and_bombs_of_pointers_are_refused) {
    const auto here = [](std::size_t extra) {
        Packet packet;
        packet.head(k_id, k_srv, 1);
        return packet.size() + extra;
    };
    const std::vector<Packet> owners = {
        Packet().pointer(here(0)),                   // to itself
        Packet().pointer(here(2)).pointer(here(0)),  // forwards and back
        Packet().raw("\1a").pointer(here(0)),        // back to its own start
        Packet().pointer(0x3FFF),                    // beyond the end
        Packet().raw("\x80"),
        Packet().raw("\x40"),                   // reserved lengths
        Packet().raw(std::string(64, '\x3f')),  // a label that runs out
    };
    for (const auto& owner : owners) {
        Packet packet;
        packet.head(k_id, k_srv, 1);
        packet.raw(as_text(owner.bytes())).srv(k_mail);
        EXPECT_EQ(seen(parse(packet)), "error malformed");
    }
    // Each pointer adds a label of 63: more than 255 bytes in all.
    Packet bomb;
    bomb.head(k_id, k_srv, 1);
    std::size_t previous = 12;
    for (int i = 0; i < 10; ++i) {
        const auto at = bomb.size();
        bomb.raw(std::string(1, '\x3f') + std::string(63, 'a')).pointer(previous);
        previous = at;
    }
    EXPECT_FALSE(read_name(bomb.bytes(), previous));
    EXPECT_TRUE(read_name(bomb.bytes(), 12));
}

TEST(ParseAnswer, endless_aliases_are_refused) {
    const auto data = [](std::string_view name) { return Packet().name(name).bytes(); };
    Packet loop;
    loop.head(k_id, k_srv, 2);
    loop.pointer(12).record(5, data("b.example"));
    loop.name("b.example").record(5, data(k_srv.name.text()));
    EXPECT_EQ(seen(parse(loop)), "error malformed");
    Packet chain;
    chain.head(k_id, k_srv, k_aliases_max + 2);
    chain.pointer(12).record(5, data("a0.example"));
    for (std::size_t i = 0; i <= k_aliases_max; ++i) {
        chain.name("a" + std::to_string(i) + ".example");
        chain.record(5, data("a" + std::to_string(i + 1) + ".example"));
    }
    EXPECT_EQ(seen(parse(chain)), "error malformed");
}

TEST(ParseAnswer, more_records_than_are_read_are_refused) {
    Packet packet;
    packet.head(k_id, k_srv, k_records_max + 1);
    for (std::size_t i = 0; i <= k_records_max; ++i)
        packet.pointer(12).srv(k_mail);
    EXPECT_EQ(seen(parse(packet)), "error malformed");
}

TEST(ParseAnswer, data_must_fill_its_length) {
    for (const auto& data : {Packet().number(0).number(0), Packet().number(0).number(0).number(993),
                             Packet().number(0).number(0).number(993).name("a.example").raw("x"),
                             Packet().number(0).number(0).number(993).raw("\4mail")}) {
        Packet packet;
        packet.head(k_id, k_srv, 1).pointer(12).record(33, data.bytes());
        EXPECT_EQ(seen(parse(packet)), "error malformed");
    }
}

TEST(ParseAnswer, names_that_are_none_of_a_host_are_left_out) {
    for (const std::string target :
         {"a b.example", "evil\n.example", "\xff.example", "a/b", "*.x"}) {
        Packet packet;
        packet.head(k_id, k_srv, 2).pointer(12);
        packet.record(33, Packet().number(0).number(0).number(1).name(target).bytes());
        packet.pointer(12).srv(k_mail);
        EXPECT_EQ(seen(parse(packet)), "0 1 993 mail.brand.example;") << target;
    }
    Packet other_class;
    other_class.head(k_id, k_srv, 1).pointer(12);
    other_class.record(33, Packet().number(0).number(0).number(1).name("a").bytes(), 3);
    EXPECT_EQ(seen(parse(other_class)), "");
}

}  // namespace
}  // namespace postern::dns
