#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/scenario_test.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace postern::imap {
namespace {

constexpr const char* k_dovecot =
    "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE UIDPLUS LIST-EXTENDED SPECIAL-USE LITERAL+";
constexpr const char* k_plain = "IMAP4rev1 SASL-IR AUTH=PLAIN";

std::string uids_of(Client& c) {
    return describe_answer(c.take<SearchResult>(), [](const SearchResult& found) {
        std::string out;
        for (const Uid uid : found.uids) {
            out += std::to_string(uid) + ' ';
        }
        return out;
    });
}
std::string headers_of(Client& c) {
    return describe_answer(c.take<HeaderBatch>(), [](const HeaderBatch& batch) {
        std::string out;
        for (const FetchedHeaders& mail : batch.mails) {
            out += std::to_string(mail.uid) + '/' + std::to_string(mail.mail_bytes.value_or(0)) +
                   '=' + std::string(as_text(mail.block)) + ';';
        }
        return out;
    });
}
std::string folders_of(Client& c) {
    return describe_answer(c.take<FolderList>(), [](const FolderList& list) {
        std::string out;
        for (const Folder& folder : list.folders) {
            out += folder.name.utf8() + (folder.delimiter ? *folder.delimiter : '-');
            if (!folder.selectable) out += 'x';
            if (folder.is(SpecialUse::sent)) out += 's';
            if (folder.is(SpecialUse::junk)) out += 'j';
            if (folder.is(SpecialUse::archive)) out += 'a';
            if (folder.is(SpecialUse::all)) out += 'A';
            out += ';';
        }
        return out;
    });
}
std::function<Result<>(Client&)> search_label(Uid first, Uid last = 0) {
    return [first, last](Client& c) {
        const std::vector<std::string> label{"@b7.ptn.x"};
        return c.search(
            *SearchQuery::replies({.first_uid = first, .last_uid = last, .needles = label}));
    };
}
std::function<Result<>(Client&)> fetch(std::vector<Uid> uids, bool with_size = false) {
    return [uids, with_size](Client& c) {
        return c.fetch_headers({.uids = *UidSet::of(uids),
                                .fields = {"From", "In-Reply-To"},
                                .with_mail_size = with_size});
    };
}
const std::string k_search_44 =
    "UID SEARCH UID 44:* OR HEADER References \"@b7.ptn.x\" HEADER In-Reply-To \"@b7.ptn.x\"\r\n";
const std::string k_fetch_tail = "BODY.PEEK[HEADER.FIELDS (From In-Reply-To)])\r\n";

TEST(Folders, are_listed_with_their_use) {
    Scenario scenario;
    scenario.open_folder(k_dovecot).start([](Client& c) { return c.list_folders(); });
    scenario.client("C LIST \"\" \"*\" RETURN (SPECIAL-USE)\r\n");
    scenario.server(
        "* LIST (\\HasNoChildren \\Sent) \".\" Gesendet\r\n"
        "* LIST (\\HasNoChildren \\junk) \"/\" \"Spam mail\"\r\n"
        "* LIST () NIL INBOX\r\n"
        "* LIST (\\NoSelect) \"\\\\\" {5}\r\na\"b)c\r\n"
        "* LIST (\\Archive \\All) \"/\" Entw&APw-rfe (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "C OK done\r\n");
    scenario.answer("Gesendet.s;Spam mail/j;INBOX-;a\"b)c\\x;Entw\xc3\xbcrfe/aA;", folders_of);
    scenario.run();
}

TEST(Folders, are_listed_plainly_where_the_server_knows_no_more) {
    Scenario scenario;
    scenario.open_folder(k_plain).start([](Client& c) { return c.list_folders(); });
    scenario.client("C LIST \"\" \"*\"\r\n");
    scenario.server("* list (\\Sent) \"/\" \"[Gmail]/Gesendet\"\r\nC OK Success\r\n");
    scenario.answer("[Gmail]/Gesendet/s;", folders_of).run();
}

TEST(Folders, state_is_asked_without_opening) {
    Scenario scenario;
    scenario.open_folder(k_dovecot);
    scenario.start([](Client& c) { return c.ask_folder_state(*FolderName::from_utf8("Ju nk")); });
    scenario.client("C STATUS \"Ju nk\" (MESSAGES UIDNEXT UIDVALIDITY)\r\n");
    scenario.server(
        "* STATUS \"Ju nk\" (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 4294967295 X (a b)) \r\n"
        "C OK done\r\n");
    scenario.answer("4 9 4294967295", [](Client& c) {
        return describe_answer(c.take<FolderState>(), [](const FolderState& s) {
            return std::to_string(*s.exists) + ' ' + std::to_string(*s.uid_next) + ' ' +
                   std::to_string(*s.uid_validity);
        });
    });
    scenario.run();
}

TEST(Folders, missing_one_is_an_answer_not_an_end) {
    Scenario scenario;
    scenario.open_folder(k_dovecot);
    scenario.start([](Client& c) { return c.examine(*FolderName::from_utf8("Nope")); });
    scenario.client("C EXAMINE \"Nope\"\r\n");
    scenario.server("C NO [NONEXISTENT] Mailbox doesn't exist: Nope\r\n");
    scenario.answer("error imap_no_such_folder", [](Client& c) {
        EXPECT_TRUE(c.status() == Client::Status::closed ||
                    c.idle().error().is(ImapError::wrong_state));
        const auto answer = c.take<FolderState>();
        if (c.status() == Client::Status::closed) return std::string("error");
        return "error " + std::string(answer.error().code());
    });
    scenario.run();
}

TEST(Search, sorts_unites_and_drops_what_lies_below) {
    Scenario scenario;
    scenario.open_folder(k_dovecot).start(search_label(44)).client("C " + k_search_44);
    scenario.server("* SEARCH 46 44 43\r\n* search 46 4294967295 \r\n* SEARCH\r\nC OK done\r\n");
    scenario.answer("44 46 4294967295 ", uids_of).run();
}

TEST(Search, may_find_nothing) {
    Scenario scenario;
    scenario.open_folder(k_dovecot).start(search_label(44)).client("C " + k_search_44);
    scenario.server("* SEARCH \r\n* 4 EXISTS\r\nC OK done\r\n").answer("", uids_of);
    scenario.start(search_label(44)).client("D " + k_search_44);
    scenario.server("D OK done\r\n").answer("", uids_of);
    scenario.start(search_label(44)).client("E " + k_search_44);
    scenario.server("E NO [UNAVAILABLE] index\r\n");
    scenario.answer("error imap_server_unavailable", uids_of).run();
}

TEST(Headers, come_per_mail_in_any_order_and_form) {
    Scenario scenario;
    scenario.open_folder(k_dovecot).start(fetch({50, 44, 45}, true));
    scenario.client("C UID FETCH 44:45,50 (UID RFC822.SIZE " + k_fetch_tail);
    scenario.server(
        "* 7 FETCH (UID 50 RFC822.SIZE 99 BODY[HEADER.FIELDS (From In-Reply-To)] {9}\r\n"
        "From: a\r\n)\r\n"
        "* 4 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen $X))\r\n* OK Still here\r\n"
        "* 5 fetch (body[header.fields (\"FROM\" \"IN-REPLY-TO\")] {0}\r\n UID 44)\r\n"
        "* 6 FETCH (X-GM-LABELS (\"a)b\" ({3}\r\n)\r\n)) UID 45 BODY[HEADER.FIELDS (From)] "
        "\"\")\r\n"
        "C OK done\r\n");
    scenario.answer("44/0=;45/0=;50/99=From: a\r\n;", headers_of).run();
}

TEST(Headers, of_a_mail_that_is_gone_are_missing) {
    Scenario scenario;
    scenario.open_folder(k_dovecot).start(fetch({44, 45}));
    scenario.client("C UID FETCH 44:45 (UID " + k_fetch_tail);
    scenario.server(
        "* 2 EXPUNGE\r\n* 2 FETCH (UID 45 BODY[HEADER.FIELDS (From)] NIL)\r\n"
        "C OK [EXPUNGEISSUED] some\r\n");
    scenario.answer("", headers_of).run();
}

/// Adds the fetch of one body whose sink collects into the answer.
struct BodyStory {
    std::shared_ptr<std::string> got = std::make_shared<std::string>();
    Scenario scenario;

    BodyStory() {
        auto into = got;
        scenario.open_folder(k_dovecot).start([into](Client& c) {
            into->clear();
            return c.fetch_body(
                {.uid = 46, .bytes_max = 100, .sink = [into](ByteView bytes) -> Result<> {
                     *into += as_text(bytes);
                     return {};
                 }});
        });
        scenario.client("C UID FETCH 46 (UID BODY.PEEK[])\r\n");
    }
    void expect(const std::string& server, const std::string& answer) {
        auto into = got;
        scenario.server(server).answer(answer, [into](Client& c) {
            return describe_answer(c.take<FetchedBody>(), [&](const FetchedBody& body) {
                return std::to_string(body.uid) + ' ' + std::to_string(body.bytes) + ' ' + *into;
            });
        });
        scenario.run();
    }
};

TEST(Body, is_streamed) {
    BodyStory().expect(
        "* 9 FETCH (UID 46 FLAGS (\\Seen) BODY[] {11}\r\na\r\nC OK\n\r\n\")\r\nC OK done\r\n",
        "46 11 a\r\nC OK\n\r\n\"");
}
TEST(Body, may_come_before_its_uid) {
    BodyStory().expect("* 9 FETCH (BODY[] {2}\r\nab UID 46)\r\nC OK done\r\n", "46 2 ab");
}
TEST(Body, may_be_quoted_or_empty) {
    BodyStory().expect("* 9 FETCH (UID 46 BODY[] \"a\\\\b\")\r\nC OK done\r\n", "46 3 a\\b");
    BodyStory().expect("* 9 FETCH (UID 46 BODY[] {0}\r\n)\r\nC OK done\r\n", "46 0 ");
}
TEST(Body, that_is_gone_is_an_error_of_its_own) {
    BodyStory().expect("C OK done\r\n", "error imap_message_gone");
    BodyStory().expect("* 9 FETCH (UID 46 BODY[] NIL)\r\nC OK done\r\n", "error imap_message_gone");
    BodyStory().expect("* 9 FETCH (UID 46 FLAGS ())\r\nC OK done\r\n", "error imap_message_gone");
}

TEST(Body, of_50_mb_passes_through_without_being_held) {
    Client client({.tls = true, .allow_plaintext_sign_in = true, .limits = {}});
    ASSERT_TRUE(client.receive(as_bytes("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n")));
    ASSERT_TRUE(client.sign_in("a", Secret::copy_of(as_bytes("b"))));
    (void)client.take_output();
    ASSERT_TRUE(client.receive(as_bytes("A OK in\r\n")));
    ASSERT_TRUE(client.examine(*FolderName::from_utf8("INBOX")));
    (void)client.take_output();
    ASSERT_TRUE(client.receive(as_bytes("B OK in\r\n")));

    constexpr std::uint64_t k_size = 50ull * 1024 * 1024;
    const Bytes chunk(16 * 1024, 'x');
    std::uint64_t delivered = 0;
    bool in_place = true;
    const auto sink = [&](ByteView bytes) -> Result<> {
        // The very bytes that were received: nothing was copied or gathered.
        in_place = in_place && bytes.data() == chunk.data() && bytes.size() <= chunk.size();
        delivered += bytes.size();
        return {};
    };
    ASSERT_TRUE(client.fetch_body({.uid = 1, .bytes_max = k_size, .sink = sink}));
    (void)client.take_output();
    const std::string head = "* 1 FETCH (UID 1 BODY[] {" + std::to_string(k_size) + "}\r\n";
    ASSERT_TRUE(client.receive(as_bytes(head)));
    for (std::uint64_t sent = 0; sent < k_size; sent += chunk.size()) {
        ASSERT_TRUE(client.receive(chunk));
    }
    ASSERT_TRUE(client.receive(as_bytes(")\r\nC OK done\r\n")));
    EXPECT_TRUE(in_place);
    EXPECT_EQ(delivered, k_size);
    EXPECT_EQ(client.take<FetchedBody>()->bytes, k_size);
}

AppendRequest mail_of(std::uint64_t bytes, std::string text) {
    auto left = std::make_shared<std::string>(std::move(text));
    return {.folder = *FolderName::from_utf8("Sent"),
            .seen = true,
            .bytes = bytes,
            .source = [left](std::span<std::uint8_t> room) -> Result<std::size_t> {
                const std::size_t n = std::min({room.size(), left->size(), std::size_t{3}});
                std::memcpy(room.data(), left->data(), n);
                left->erase(0, n);
                return n;
            }};
}
std::string appended_of(Client& c) {
    return describe_answer(c.take<Appended>(), [](const Appended& a) {
        return std::to_string(a.uid_validity.value_or(0)) + ' ' + std::to_string(a.uid.value_or(0));
    });
}

TEST(Append, waits_for_the_server_and_learns_the_uid) {
    Scenario scenario;
    scenario.open_folder(k_dovecot);
    scenario.start([](Client& c) { return c.append(mail_of(8, "A: b\r\n\r\n")); });
    scenario.client("C APPEND \"Sent\" (\\Seen) {8}\r\n").server("+ OK\r\n");
    scenario.client("A: b\r\n\r\n\r\n").server("* 4 EXISTS\r\nC OK [APPENDUID 3 17] done\r\n");
    scenario.answer("3 17", appended_of);
    scenario.start([](Client& c) { return c.append(mail_of(1, "x")); });
    scenario.client("D APPEND \"Sent\" (\\Seen) {1}\r\n").server("+\r\n");
    scenario.client("x\r\n").server("D OK done\r\n").answer("0 0", appended_of).run();
}

TEST(Append, refusal_comes_before_the_mail) {
    for (const auto& [code, error] : {std::pair{"[TRYCREATE] no", "imap_no_such_folder"},
                                      std::pair{"[OVERQUOTA] full", "imap_over_quota"},
                                      std::pair{"nope", "imap_command_refused"}}) {
        Scenario scenario;
        scenario.open_folder(k_dovecot);
        scenario.start([](Client& c) { return c.append(mail_of(8, "A: b\r\n\r\n")); });
        scenario.client("C APPEND \"Sent\" (\\Seen) {8}\r\n");
        scenario.server("C NO " + std::string(code) + "\r\n");
        scenario.answer(std::string("error ") + error, appended_of).client("");
        scenario.start([](Client& c) { return c.noop(); }).client("D NOOP\r\n");
        scenario.server("D OK\r\n").done().run();
    }
}

TEST(Idle, tells_of_new_mail_at_any_moment) {
    Scenario scenario;
    const auto changed = [](bool expected) {
        return [expected](Client& c) -> Result<> {
            EXPECT_EQ(c.take_mailbox_changed(), expected);
            return {};
        };
    };
    scenario.open_folder(k_dovecot).start(changed(false));
    scenario.start([](Client& c) { return c.idle(); }).client("C IDLE\r\n");
    scenario.status(Client::Status::busy);
    scenario.server("* 4 EXISTS\r\n+ idling\r\n").status(Client::Status::idling);
    scenario.start(changed(true)).start(changed(false));
    scenario.server("* OK Still here\r\n* 4 EXISTS\r\n* 1 RECENT\r\n* 2 FETCH (FLAGS ())\r\n");
    scenario.start(changed(false)).server("* 1 EXPUNGE\r\n* 3 EXISTS\r\n").start(changed(false));
    scenario.server("* 1 EXPUNGE\r\n* 3 EXISTS\r\n").start(changed(true));
    scenario.start([](Client& c) { return c.stop_idle(); }).client("DONE\r\n");
    scenario.status(Client::Status::busy);
    scenario.server("* 5 EXISTS\r\nC OK Idle completed\r\n").done().start(changed(true));
    scenario.start([](Client& c) { return c.idle(); }).client("D IDLE\r\n");
    scenario.server("+ idling\r\n* 6 EXISTS\r\n").start(changed(true)).run();
}

TEST(Idle, stopped_before_it_began_sends_done_after_the_plus) {
    Scenario scenario;
    scenario.open_folder(k_dovecot);
    scenario.start([](Client& c) { return c.idle(); });
    scenario.start([](Client& c) { return c.stop_idle(); }).client("C IDLE\r\n");
    scenario.server("+ idling\r\n").client("DONE\r\n").server("C OK done\r\n").done().run();
}

TEST(Idle, needs_the_capability_and_can_be_refused) {
    Scenario scenario;
    scenario.open_folder(k_dovecot).start([](Client& c) { return c.idle(); });
    scenario.client("C IDLE\r\n").server("C NO busy\r\n");
    scenario.answer("error imap_command_refused", [](Client& c) {
        return c.status() == Client::Status::closed ? "error" : describe_answer(c.take<Done>());
    });
    scenario.run();
    Scenario without;
    without.open_folder(k_plain).start([](Client& c) -> Result<> {
        EXPECT_TRUE(c.idle().error().is(ImapError::capability_missing));
        EXPECT_TRUE(c.stop_idle().error().is(ImapError::wrong_state));
        return {};
    });
    without.run();
}

}  // namespace
}  // namespace postern::imap
