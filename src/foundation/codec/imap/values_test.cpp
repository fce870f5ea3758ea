#include "foundation/codec/imap/capabilities.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/response_code.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/server_text.h"
#include "foundation/codec/imap/uid_set.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace postern::imap {
namespace {

using namespace std::string_literals;

TEST(UidSet, is_sorted_united_and_compact) {
    const auto set = UidSet::of({9, 3, 4, 4, 5, 4294967295u});
    ASSERT_TRUE(set);
    EXPECT_EQ(set->text(), "3:5,9,4294967295");
    EXPECT_EQ(set->size(), 5u);
    EXPECT_TRUE(set->contains(4));
    EXPECT_FALSE(set->contains(6));
}

TEST(UidSet, refused_when_empty_zero_or_too_long) {
    EXPECT_TRUE(UidSet::of({}).error().is(ImapError::bad_argument));
    EXPECT_TRUE(UidSet::of({3, 0}).error().is(ImapError::bad_argument));
    std::vector<Uid> odd(2000);
    for (std::size_t i = 0; i < odd.size(); ++i) {
        odd[i] = static_cast<Uid>(10001 + 2 * i);
    }
    EXPECT_TRUE(UidSet::of(odd).error().is(ImapError::argument_too_long));
    std::vector<Uid> dense(100'000);
    std::iota(dense.begin(), dense.end(), 1u);
    EXPECT_EQ(UidSet::of(dense)->text(), "1:100000");
}

TEST(SearchQuery, asks_for_our_label_only) {
    const std::vector<std::string> label{"@b7.ptn.example.org"};
    const auto query = SearchQuery::replies({.first_uid = 44, .needles = label});
    ASSERT_TRUE(query);
    EXPECT_EQ(query->text(),
              "UID SEARCH UID 44:* OR HEADER References \"@b7.ptn.example.org\" "
              "HEADER In-Reply-To \"@b7.ptn.example.org\"");
    EXPECT_FALSE(query->admits(43));
    EXPECT_TRUE(query->admits(44));
    EXPECT_TRUE(query->admits(4294967295u));
}

TEST(SearchQuery, joins_several_needles_and_bounces) {
    const std::vector<std::string> ids{"<a@b>", "<c\"\\@d>"};
    const auto query =
        SearchQuery::replies({.first_uid = 1, .last_uid = 9, .needles = ids, .with_bounces = true});
    ASSERT_TRUE(query);
    EXPECT_EQ(query->text(),
              "UID SEARCH UID 1:9 OR HEADER References \"<a@b>\" OR HEADER In-Reply-To \"<a@b>\" "
              "OR HEADER References \"<c\\\"\\\\@d>\" OR HEADER In-Reply-To \"<c\\\"\\\\@d>\" "
              "(OR HEADER Content-Type \"delivery-status\" HEADER From \"MAILER-DAEMON\" "
              "TEXT \"<a@b>\")");
    EXPECT_TRUE(query->admits(9));
    EXPECT_FALSE(query->admits(10));
}

TEST(SearchQuery, asks_for_mail_to_our_reply_addresses) {
    const std::vector<std::string> label{"@b7x2.ptn.example.org"};
    const auto query =
        SearchQuery::replies({.first_uid = 44, .needles = label, .address_needle = "+b7x2."});
    ASSERT_TRUE(query);
    EXPECT_EQ(query->text(),
              "UID SEARCH UID 44:* OR HEADER References \"@b7x2.ptn.example.org\" "
              "OR HEADER In-Reply-To \"@b7x2.ptn.example.org\" "
              "OR HEADER To \"+b7x2.\" HEADER Cc \"+b7x2.\"");
    for (const auto* needle : {"+.", "b7x2.", "+b7x2", "maya@brand.example", "+b\n7."}) {
        const auto refused = SearchQuery::replies({.needles = label, .address_needle = needle});
        ASSERT_FALSE(refused) << needle;
        EXPECT_TRUE(refused.error().is(ImapError::bad_argument));
    }
}

TEST(SearchQuery, asks_for_a_thread_index_without_ids_of_ours) {
    const auto query = SearchQuery::thread_index("Adw01234", "@box7.ptn.x", 5, 9);
    ASSERT_TRUE(query);
    EXPECT_EQ(query->text(),
              "UID SEARCH UID 5:9 HEADER Thread-Index \"Adw01234\" NOT HEADER References "
              "\"@box7.ptn.x\" NOT HEADER In-Reply-To \"@box7.ptn.x\"");
    EXPECT_FALSE(SearchQuery::thread_index("Adw", "@box7.ptn.x", 5, 9));
    EXPECT_FALSE(SearchQuery::thread_index("Adw01234", "@b", 5, 9));
    EXPECT_FALSE(SearchQuery::thread_index("Adw01234", "@box7.ptn.x", 0, 9));
    EXPECT_FALSE(SearchQuery::thread_index("Adw01234", "@box7.ptn.x", 9, 5));
}

TEST(SearchQuery, asks_whether_one_mail_names_an_id) {
    const auto query = SearchQuery::names_message_id(7, "ptn1.");
    ASSERT_TRUE(query);
    EXPECT_EQ(query->text(), "UID SEARCH UID 7 TEXT \"Message-ID: <ptn1.\"");
    EXPECT_TRUE(query->admits(7));
    EXPECT_FALSE(query->admits(8));
    EXPECT_FALSE(SearchQuery::names_message_id(0, "ptn1."));
    EXPECT_FALSE(SearchQuery::names_message_id(7, "a\r\nb"));
}

TEST(SearchQuery, asks_for_what_came_since_a_day) {
    const std::pair<std::int64_t, const char*> days[] = {
        {0, "UID SEARCH SINCE 1-Jan-1970"},
        {1'709'251'199'999, "UID SEARCH SINCE 29-Feb-2024"},
        {1'798'761'599'999, "UID SEARCH SINCE 31-Dec-2026"},
        {253'402'300'799'999, "UID SEARCH SINCE 31-Dec-9999"},
    };
    for (const auto& [at_ms, text] : days)
        EXPECT_EQ(SearchQuery::since(at_ms)->text(), text);
    EXPECT_TRUE(SearchQuery::since(0)->admits(1));
    EXPECT_FALSE(SearchQuery::since(-1));
    EXPECT_FALSE(SearchQuery::since(253'402'300'800'000));
}
TEST(SearchQuery, finds_our_own_copy) {
    EXPECT_EQ(SearchQuery::message_id("<ptn1.x@b7>", 5)->text(),
              "UID SEARCH UID 5:* HEADER Message-ID \"<ptn1.x@b7>\"");
}

TEST(SearchQuery, refused_when_it_would_match_foreign_mail_or_break_the_line) {
    const std::vector<std::string> bad{
        "",
        "@b",
        "abc",
        "ab\r\ncd",
        "abcd\n",
        "abcd\0ef"s,
        "ab\tcd",
        "caf\xc3\xa9@x",
        std::string(999, 'a'),
    };
    for (const std::string& needle : bad) {
        const std::vector<std::string> one{needle};
        const auto query = SearchQuery::replies({.needles = one});
        ASSERT_FALSE(query) << needle;
        EXPECT_TRUE(query.error().is(ImapError::bad_argument));
        EXPECT_FALSE(SearchQuery::message_id(needle));
    }
    const std::vector<std::string> fine{"@b7.ptn"};
    EXPECT_FALSE(SearchQuery::replies({.first_uid = 0, .needles = fine}));
    EXPECT_FALSE(SearchQuery::replies({.first_uid = 5, .last_uid = 4, .needles = fine}));
    EXPECT_FALSE(SearchQuery::replies({.first_uid = 5, .needles = {}}));
    EXPECT_FALSE(SearchQuery::message_id("<a@b>", 0));
    const std::vector<std::string> many(100, std::string(60, 'a'));
    EXPECT_TRUE(SearchQuery::replies({.needles = many}).error().is(ImapError::argument_too_long));
}

TEST(FolderName, encodes_for_the_wire) {
    EXPECT_EQ(FolderName::from_utf8("Gesendet & mehr")->wire(), "Gesendet &- mehr");
    const auto name = FolderName::from_utf8("Entw\xc3\xbcrfe");
    EXPECT_EQ(name->wire(), "Entw&APw-rfe");
    EXPECT_EQ(name->utf8(), "Entw\xc3\xbcrfe");
    EXPECT_EQ(FolderName::from_wire("A&B")->utf8(), "A&B");
}

TEST(FolderName, refused_when_it_holds_a_line_end_or_is_malformed) {
    const std::vector<std::string> bad{
        "", "a\rb", "a\nb", "a\0b"s, "a\tb", "a\x7f", "\xff", "\xc3", std::string(1025, 'a')};
    for (const std::string& name : bad) {
        EXPECT_FALSE(FolderName::from_utf8(name)) << name;
    }
    EXPECT_FALSE(FolderName::from_wire("a\r\nI DELETE INBOX"));
    EXPECT_FALSE(FolderName::from_wire("a\0"s));
    EXPECT_FALSE(FolderName::from_wire(""));
}

TEST(Capabilities, are_read_in_any_case) {
    const auto c =
        Capabilities::parse("IMAP4rev1 sasl-ir AUTH=PLAIN LoginDisabled  IDLE X-UNKNOWN ");
    EXPECT_TRUE(c.known && c.sasl_ir && c.auth_plain && c.login_disabled && c.idle);
    EXPECT_FALSE(c.start_tls || c.special_use || c.literal_plus || c.gmail || c.auth_oauth);
}

TEST(Capabilities, of_rev2_hold_its_built_in_extensions) {
    const auto c = Capabilities::parse("IMAP4rev2");
    EXPECT_TRUE(c.idle && c.special_use && c.list_extended && c.uid_plus && c.literal_minus);
    EXPECT_FALSE(c.auth_plain || c.literal_plus);
    EXPECT_FALSE(Capabilities::parse("").idle);
    EXPECT_FALSE(Capabilities{}.known);
}

TEST(ResponseCode, known_ones_are_recognised) {
    using Kind = ResponseCode::Kind;
    const std::vector<std::pair<std::string, Kind>> cases{
        {"[AUTHENTICATIONFAILED] no", Kind::authentication_failed},
        {"[authenticationfailed]", Kind::authentication_failed},
        {"[TRYCREATE] x", Kind::try_create},
        {"[UNAVAILABLE] x", Kind::unavailable},
        {"[LIMIT] x", Kind::limit},
        {"[OVERQUOTA] x", Kind::over_quota},
        {"[READ-ONLY] x", Kind::read_only},
        {"[UIDNEXT 4294967295] x", Kind::uid_next},
        {"[UIDNEXT 4294967296] x", Kind::other},
        {"[UIDNEXT 0] x", Kind::other},
        {"[UIDNEXT] x", Kind::other},
        {"[UIDNEXT 1 2] x", Kind::other},
        {"[UIDVALIDITY -1] x", Kind::other},
        {"[APPENDUID 1] x", Kind::other},
        {"[APPENDUID 1 2] x", Kind::append_uid},
        {"[APPENDUID 1 2:3] x", Kind::other},
        {"[APPENDUID 1 0] x", Kind::other},
        {"[BADCHARSET (UTF-8)] x", Kind::other},
        {"[] x", Kind::other},
        {"[UIDNEXT 3 x", Kind::none},
        {"UIDNEXT 3] x", Kind::none},
        {"", Kind::none},
    };
    for (const auto& [text, kind] : cases) {
        EXPECT_EQ(parse_status_text(text).code.kind, kind) << text;
    }
    const auto status = parse_status_text("[APPENDUID 38505 3955] APPEND completed");
    EXPECT_EQ(status.code.first, 38505u);
    EXPECT_EQ(status.code.second, 3955u);
    EXPECT_EQ(status.text, "APPEND completed");
}

TEST(ServerText, is_bounded_printable_and_without_addresses) {
    EXPECT_EQ(server_text("no such user <bob@example.org> here"), "no such user [address] here");
    EXPECT_EQ(server_text("a\x1b[31mb\xff"), "a?[31mb?");
    EXPECT_LE(server_text(std::string(100'000, 'x')).size(), k_server_text_bytes_max);
    EXPECT_EQ(server_text(std::string(190, 'x') + " " + std::string(300, 'b') + "@example.org"),
              std::string(190, 'x') + " [address]");
    EXPECT_EQ(server_text(""), "");
}

}  // namespace
}  // namespace postern::imap
