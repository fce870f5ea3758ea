#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {
namespace {

ClientOptions small() {
    return {.tls = true,
            .allow_plaintext_sign_in = false,
            .limits = {.line_bytes_max = 200,
                       .string_bytes_max = 100,
                       .header_bytes_max = 300,
                       .search_results_max = 5,
                       .folders_max = 3}};
}

/// A client with an open folder of 3 mails; the next tag is C.
void open_folder(Client& client) {
    const auto say = [&](std::string_view text) { ASSERT_TRUE(client.receive(as_bytes(text))); };
    say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR IDLE] hi\r\n");
    ASSERT_TRUE(client.sign_in("a", Secret::copy_of(as_bytes("b"))));
    (void)client.take_output();
    say("A OK [CAPABILITY IMAP4rev1 IDLE] in\r\n");
    ASSERT_TRUE(client.examine(*FolderName::from_utf8("INBOX")));
    (void)client.take_output();
    say("* 3 EXISTS\r\nB OK in\r\n");
    ASSERT_TRUE(client.take<FolderState>());
}

enum class Asked { nothing, list, status, search, headers, body, append, idle };

class Hostile {
public:
    explicit Hostile(Asked asked) : client_(small()) {
        open_folder(client_);
        const std::vector<std::string> label{"@b7.x"};
        switch (asked) {
            case Asked::nothing: break;
            case Asked::list: started_ = client_.list_folders(); break;
            case Asked::status:
                started_ = client_.ask_folder_state(*FolderName::from_utf8("a"));
                break;
            case Asked::search:
                started_ = client_.search(*SearchQuery::replies({.needles = label}));
                break;
            case Asked::headers:
                started_ =
                    client_.fetch_headers({.uids = *UidSet::of({4, 5, 6}), .fields = {"From"}});
                break;
            case Asked::body:
                started_ = client_.fetch_body(
                    {.uid = 4, .bytes_max = 10, .sink = [this](ByteView b) -> Result<> {
                         delivered_ += b.size();
                         return {};
                     }});
                break;
            case Asked::append:
                started_ = client_.append({.folder = *FolderName::from_utf8("a"),
                                           .bytes = 5,
                                           .source = [](std::span<std::uint8_t> room) {
                                               room[0] = 'x';
                                               return Result<std::size_t>(1);
                                           }});
                break;
            case Asked::idle: started_ = client_.idle(); break;
        }
        EXPECT_TRUE(started_);
        (void)client_.take_output();
    }
    Client& client() { return client_; }
    [[nodiscard]] std::size_t delivered() const { return delivered_; }

private:
    Client client_;
    Result<> started_;
    std::size_t delivered_ = 0;
};

struct Case {
    Asked asked;
    std::string said;
    ImapError error;
};

const std::string k_headers = "* 1 FETCH (UID 4 BODY[HEADER.FIELDS (From)] ";

std::vector<Case> line_and_list_cases() {
    using enum ImapError;
    using namespace std::string_literals;
    return {
        // Lines.
        {Asked::nothing, "* " + std::string(200, 'x'), line_too_long},
        {Asked::headers, "* 1 FETCH (X {1}\r\na" + std::string(200, 'x'), line_too_long},
        {Asked::nothing, "* OK a\rb", protocol_violation},
        {Asked::nothing, "* OK a\n", protocol_violation},
        {Asked::nothing, "* OK a\0"s, protocol_violation},
        {Asked::nothing, "* BYE [UNAVAILABLE] x\r\n", server_unavailable},
        {Asked::search, "* BYE x\r\n", connection_closed_by_server},
        {Asked::nothing, "* PREAUTH x\r\n", protocol_violation},
        {Asked::nothing, "* 99999999999 EXISTS\r\n", protocol_violation},
        // Search.
        {Asked::nothing, "* SEARCH 1 ", protocol_violation},
        {Asked::headers, "* SEARCH 1 ", protocol_violation},
        {Asked::search, "* SEARCH 1 2 3 4 5 6 ", too_many_results},
        {Asked::search, "* SEARCH 1 2 3\r\n* SEARCH 1 2 3\r\n", too_many_results},
        {Asked::search, "* SEARCH 0 ", protocol_violation},
        {Asked::search, "* SEARCH 4294967296 ", protocol_violation},
        {Asked::search, "* SEARCH 00000000001", protocol_violation},
        {Asked::search, "* SEARCH  1", protocol_violation},
        {Asked::search, "* SEARCH 1  2", protocol_violation},
        {Asked::search, "* SEARCH 1,2", protocol_violation},
        {Asked::search, "* SEARCH (MODSEQ 1)", protocol_violation},
        // Lists.
        {Asked::list, "* LIST\r\n", protocol_violation},
        {Asked::list, "* LIST (\\Sent \"/\" x\r\n", protocol_violation},
        {Asked::list, "* LIST () \"//\" x\r\n", protocol_violation},
        {Asked::list, "* LIST () \"/\" \"x\r\n", protocol_violation},
        {Asked::list, "* LIST () \"/\" \"\"\r\n", protocol_violation},
        {Asked::list, "* LIST () \"/\" x y\r\n* LIST () \"/\" x) \r\n", protocol_violation},
        {Asked::list, "* LIST () \"/\" {3}\r\na\0b\r\n"s, protocol_violation},
        {Asked::list, "* LIST () \"/\" {101}\r\n", literal_too_large},
        {Asked::list,
         "* LIST () NIL a\r\n* LIST () NIL b\r\n* LIST () NIL c\r\n* LIST () NIL d\r\n",
         too_many_results},
        {Asked::list, "* LIST () \"/\" " + std::string(100, 'x') + " " + std::string(100, '('),
         line_too_long},
        {Asked::status, "* STATUS a\r\n", protocol_violation},
        {Asked::status, "* STATUS a (MESSAGES)\r\n", protocol_violation},
        {Asked::status, "* STATUS a (MESSAGES 1\r\n", protocol_violation},
    };
}

std::vector<Case> fetch_and_order_cases() {
    using enum ImapError;
    return {
        // Fetches.
        {Asked::headers, k_headers + "{301}\r\n", literal_too_large},
        {Asked::headers, k_headers + "{9999999999999999999}\r\n", protocol_violation},
        {Asked::headers, k_headers + "{-1}\r\n", protocol_violation},
        {Asked::headers, k_headers + "{}\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH (BODY[HEADER.FIELDS (From)] {1}\r\na)\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH (UID 9 BODY[HEADER.FIELDS (From)] {1}\r\na)\r\n",
         protocol_violation},
        {Asked::headers, k_headers + "{1}\r\na UID 4)\r\n", protocol_violation},
        {Asked::headers, k_headers + "{1}\r\na BODY[HEADER.FIELDS (From)] {1}\r\na)\r\n",
         protocol_violation},
        {Asked::headers, k_headers + "{1}\r\na)\r\n" + k_headers + "{1}\r\na)\r\nC OK\r\n",
         protocol_violation},
        {Asked::headers,
         k_headers + "{200}\r\n" + std::string(200, 'a') + ")\r\n" +
             "* 1 FETCH (UID 5 BODY[HEADER.FIELDS (From)] {101}\r\n",
         literal_too_large},
        {Asked::headers, "* 1 FETCH (UID 0 FLAGS ())\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH UID 4\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH (UID)\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH (UID 4\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH (FLAGS (a))x\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH (FLAGS a))\r\n", protocol_violation},
        {Asked::headers, "* 1 FETCH (X " + std::string(17, '(') + std::string(17, ')') + ")\r\n",
         protocol_violation},
        {Asked::headers, "* 1 FETCH (UID 4 BODY[] {1}\r\n", protocol_violation},
        {Asked::nothing, "* 1 FETCH (UID 4 BODY[] {1}\r\n", protocol_violation},
        {Asked::nothing, k_headers + "{1}\r\n", protocol_violation},
        {Asked::nothing, k_headers + "\"a\")\r\n", protocol_violation},
        {Asked::body, "* 1 FETCH (UID 4 BODY[] {11}\r\n", literal_too_large},
        {Asked::body, "* 1 FETCH (UID 4 BODY[] \"12345678901\")\r\n", literal_too_large},
        {Asked::body, "* 1 FETCH (UID 5 BODY[] {1}\r\n", protocol_violation},
        {Asked::body, "* 1 FETCH (BODY[] {1}\r\na UID 5)\r\n", protocol_violation},
        {Asked::body, "* 1 FETCH (BODY[] {1}\r\na)\r\n", protocol_violation},
        {Asked::body, "* 1 FETCH (UID 4 BODY[] {1}\r\na BODY[] {1}\r\n", protocol_violation},
        {Asked::body, "* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\n* 1 FETCH (UID 4 BODY[] {1}\r\n",
         protocol_violation},
        {Asked::body, k_headers + "{1}\r\n", protocol_violation},
        // Continuations and answers at the wrong time.
        {Asked::append, "C OK early\r\n", protocol_violation},
        {Asked::append, "+ go\r\nC NO in the middle\r\n", protocol_violation},
        {Asked::append, "+ go\r\n+ go\r\n", protocol_violation},
        {Asked::idle, "+ go\r\n+ go\r\n", protocol_violation},
        {Asked::search, "+ go\r\n", protocol_violation},
        {Asked::search, "D OK\r\n", protocol_violation},
    };
}

TEST(Hostile, ends_the_connection_with_a_stable_error_in_any_chunking) {
    std::vector<Case> cases = line_and_list_cases();
    std::ranges::copy(fetch_and_order_cases(), std::back_inserter(cases));
    for (const Case& c : cases) {
        SCOPED_TRACE(c.said.substr(0, 80));
        for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, c.said.size()}) {
            Hostile hostile(c.asked);
            Result<> last;
            for (std::size_t at = 0; at < c.said.size() && last; at += chunk) {
                last = hostile.client().receive(as_bytes(c.said.substr(at, chunk)));
            }
            ASSERT_FALSE(last);
            EXPECT_TRUE(last.error().is(c.error)) << last.error().code();
            EXPECT_EQ(hostile.client().status(), Client::Status::closed);
            EXPECT_TRUE(hostile.client().take_output().empty());
            const auto answer = hostile.client().take<Done>();
            ASSERT_FALSE(answer);
            EXPECT_TRUE(answer.error().is(c.error));
            if (c.error == ImapError::literal_too_large) {
                EXPECT_EQ(hostile.delivered(), 0u);
            }
        }
    }
}

TEST(Hostile, harmless_oddities_are_lived_with) {
    for (const std::string said : {
             "* OK looks like a literal {5}\r\n",
             "* NO [ALERT] disk {99999999}\r\n",
             "* BAD Error in IMAP command received by server.\r\n",
             "* 4 EXISTS\r\n* 0 RECENT\r\n* 4 EXPUNGE\r\n* 4294967295 EXISTS\r\n",
             "* ESEARCH (TAG \"x\") UID\r\n",
             "* VANISHED (EARLIER) 1:5\r\n",
             "* XYZZY {3}\r\nabc more\r\n",
             "* CAPABILITY IMAP4rev1\r\n",
             "* STATUS other (MESSAGES 1)\r\n",
             "* LIST () \"/\" unasked\r\n",
             "* SEARCH\r\n",
             "* 1 FETCH ()\r\n",
             "* 1 FETCH (UID 9 MODSEQ (12) FLAGS (\\Seen) INTERNALDATE \"x\")\r\n",
             "* 1 FETCH (ENVELOPE (NIL \"a\\\"b\" ((NIL NIL {2}\r\nab \"c\")) NIL))\r\n",
             "* OK [UIDNEXT 99999999999999] x\r\n",
         }) {
        Hostile hostile(Asked::search);
        ASSERT_TRUE(hostile.client().receive(as_bytes(said + "C OK done\r\n"))) << said;
        EXPECT_TRUE(hostile.client().take<SearchResult>()) << said;
    }
}

TEST(Hostile, very_long_search_answer_needs_no_long_line) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    open_folder(client);
    const std::vector<std::string> label{"@b7.x"};
    ASSERT_TRUE(client.search(*SearchQuery::replies({.needles = label})));
    (void)client.take_output();
    std::string line = "* SEARCH";
    for (int uid = 1; uid <= 100'000; ++uid) {
        line += ' ' + std::to_string(uid);
    }
    ASSERT_GT(line.size(), 500'000u);
    ASSERT_TRUE(client.receive(as_bytes(line + "\r\nC OK done\r\n")));
    EXPECT_EQ(client.take<SearchResult>()->uids.size(), 100'000u);
    ASSERT_TRUE(client.search(*SearchQuery::replies({.needles = label})));
    (void)client.take_output();
    EXPECT_TRUE(client.receive(as_bytes(line + " 1\r\n")).error().is(ImapError::too_many_results));
}

TEST(Hostile, many_small_literals_are_not_parsed_again_and_again) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    open_folder(client);
    std::string said = "* 1 FETCH (X (";
    for (int i = 0; i <= k_literals_per_response_max; ++i) {
        said += "{0}\r\n ";
    }
    EXPECT_TRUE(client.receive(as_bytes(said)).error().is(ImapError::too_many_results));
}

TEST(Hostile, failing_streams_of_ours_end_the_connection) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    open_folder(client);
    ASSERT_TRUE(client.fetch_body({.uid = 4, .bytes_max = 10, .sink = [](ByteView) {
                                       return Result<>(fail(ImapError::local_stream_failed));
                                   }}));
    (void)client.take_output();
    EXPECT_FALSE(client.receive(as_bytes("* 1 FETCH (UID 4 BODY[] {5}\r\nab")));
    EXPECT_TRUE(client.take<FetchedBody>().error().is(ImapError::local_stream_failed));

    Client writer({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    open_folder(writer);
    ASSERT_TRUE(writer.append(
        {.folder = *FolderName::from_utf8("a"), .bytes = 5, .source = [](std::span<std::uint8_t>) {
             return Result<std::size_t>(0);
         }}));
    (void)writer.take_output();
    ASSERT_TRUE(writer.receive(as_bytes("+ go\r\n")));
    EXPECT_TRUE(writer.take_output().empty());
    EXPECT_TRUE(writer.take<Appended>().error().is(ImapError::local_stream_failed));
}

TEST(Hostile, arguments_of_ours_cannot_smuggle_a_command) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    open_folder(client);
    const auto uids = *UidSet::of({1});
    for (const std::string field : {"", "From)", "A B", "A\r\nI DELETE", "A\"", "B\xc3\xa4"}) {
        const auto started = client.fetch_headers({.uids = uids, .fields = {field}});
        EXPECT_TRUE(started.error().is(ImapError::bad_argument)) << field;
    }
    EXPECT_FALSE(client.fetch_headers({.uids = uids, .fields = {}}));
    EXPECT_FALSE(
        client.fetch_headers({.uids = uids, .fields = std::vector<std::string>(33, "From")}));
    EXPECT_FALSE(
        client.fetch_body({.uid = 0, .bytes_max = 1, .sink = [](ByteView) { return Result<>(); }}));
    EXPECT_FALSE(client.fetch_body({.uid = 1, .bytes_max = 1, .sink = {}}));
    EXPECT_FALSE(client.append({.folder = *FolderName::from_utf8("a"), .bytes = 0, .source = {}}));
    EXPECT_TRUE(client.take_output().empty());
    EXPECT_EQ(client.status(), Client::Status::ready);
}

}  // namespace
}  // namespace postern::imap
