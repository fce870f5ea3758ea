#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/scenario_test.h"

#include <string>
#include <vector>

namespace postern::imap {
namespace {

constexpr const char* k_notifying = "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE NOTIFY LITERAL+";

Result<> notify(Client& c) {
    return c.notify({*FolderName::from_utf8("INBOX"), *FolderName::from_utf8("Junk"),
                     *FolderName::from_utf8("Ablage \"x\"")});
}
/// "Junk 5 6 7;": exists, UIDNEXT, UIDVALIDITY.
std::string news_of(Client& c) {
    std::string out;
    for (const auto& told : c.take_folder_news()) {
        out += told.folder.utf8() + ' ' + std::to_string(told.state.exists.value_or(0)) + ' ' +
               std::to_string(told.state.uid_next.value_or(0)) + ' ' +
               std::to_string(told.state.uid_validity.value_or(0)) + ';';
    }
    return out;
}
std::string state_of(Client& c) {
    return describe_answer(c.take<FolderState>(),
                           [](const FolderState& s) { return std::to_string(*s.uid_next); });
}
Scenario notified() {
    Scenario scenario;
    scenario.open_folder(k_notifying).start(notify);
    scenario.client(
        "C NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge)) (MAILBOXES (\"INBOX\" "
        "\"Junk\" \"Ablage \\\"x\\\"\") (MessageNew MessageExpunge))\r\n");
    scenario.server("C OK NOTIFY completed.\r\n").done();
    return scenario;
}
/// Of one that was told: checks without the cuts, which say nothing about news.
void expect_news(const std::string& told, const std::string& news) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    const auto say = [&](const std::string& text) { return client.receive(as_bytes(text)); };
    ASSERT_TRUE(say("* OK [CAPABILITY " + std::string(k_notifying) + "] ready\r\n"));
    ASSERT_TRUE(client.sign_in("ada", Secret::copy_of(as_bytes("pw"))));
    (void)client.take_output();
    ASSERT_TRUE(say("A OK [CAPABILITY " + std::string(k_notifying) + "] in\r\n"));
    ASSERT_TRUE(notify(client));
    (void)client.take_output();
    ASSERT_TRUE(say("B OK done\r\n"));
    ASSERT_TRUE(say(told)) << told;
    EXPECT_EQ(client.has_folder_news(), !news.empty()) << told;
    EXPECT_EQ(news_of(client), news) << told;
    EXPECT_FALSE(client.has_folder_news());
}

TEST(Notify, names_the_folders_and_asks_for_nothing_of_a_mail) {
    notified().run();
}

TEST(Notify, tells_numbers_of_the_folders_that_were_named) {
    expect_news("* STATUS Junk (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 7 UNSEEN 1)\r\n", "Junk 5 6 7;");
    expect_news("* STATUS INBOX (MESSAGES 5 UIDNEXT 6)\r\n", "INBOX 5 6 0;");
    expect_news("* STATUS inbox (MESSAGES 5 UIDNEXT 6)\r\n", "inbox 5 6 0;");
    expect_news("* STATUS \"Ablage \\\"x\\\"\" (UIDNEXT 6)\r\n", "Ablage \"x\" 0 6 0;");
    // The newest alone, however often.
    std::string often;
    for (int i = 1; i <= 500; ++i)
        often += "* STATUS Junk (UIDNEXT " + std::to_string(i) + ")\r\n";
    expect_news(often, "Junk 0 500 0;");
}

TEST(Notify, leaves_out_what_was_not_asked_for) {
    expect_news("* STATUS Private (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 7)\r\n", "");
    expect_news("* STATUS junk (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 7)\r\n", "");
    expect_news("* LIST () \"/\" Other\r\n* METADATA Junk /shared/comment\r\n", "");
}

TEST(Notify, keeps_an_answer_and_what_is_told_meanwhile_apart) {
    notified()
        .start([](Client& c) { return c.ask_folder_state(*FolderName::from_utf8("Junk")); })
        .client("D STATUS \"Junk\" (MESSAGES UIDNEXT UIDVALIDITY)\r\n")
        .server(
            "* STATUS INBOX (UIDNEXT 99)\r\n* STATUS Junk (UIDNEXT 6 UIDVALIDITY 7)\r\n"
            "* STATUS INBOX (UIDNEXT 100)\r\nD OK\r\n")
        .answer("6", state_of)
        .answer(
            "INBOX 0 100 0;",
            [](Client& c) { return c.status() == Client::Status::closed ? "error" : news_of(c); })
        .run();
}

TEST(Notify, refusal_leaves_the_connection_and_takes_no_news) {
    Scenario scenario;
    scenario.open_folder(k_notifying).start(notify);
    scenario.client(
        "C NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge)) (MAILBOXES (\"INBOX\" "
        "\"Junk\" \"Ablage \\\"x\\\"\") (MessageNew MessageExpunge))\r\n");
    scenario.server("C NO [BADEVENT (MessageNew)] no\r\n");
    scenario.answer("error imap_command_refused",
                    [](Client& c) { return describe_answer(c.take<Done>()); });
    scenario.status(Client::Status::ready);
    scenario.server("* STATUS Junk (UIDNEXT 6)\r\n");
    scenario.start([](Client& c) { return c.noop(); }).client("D NOOP\r\n");
    scenario.server("D OK\r\n").done();
    scenario.answer(
        "", [](Client& c) { return c.status() == Client::Status::closed ? "error" : news_of(c); });
    scenario.run();
}

TEST(Notify, end_of_telling_is_told_once) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    ASSERT_TRUE(client.receive(as_bytes("* OK ready\r\n* OK [NOTIFICATIONOVERFLOW] sorry\r\n")));
    EXPECT_TRUE(client.has_folder_news());
    EXPECT_TRUE(client.take_news_lost());
    EXPECT_FALSE(client.take_news_lost());
    EXPECT_FALSE(client.has_folder_news());
}

TEST(Notify, what_cannot_be_asked_is_not_sent) {
    Scenario scenario;
    scenario.open_folder("IMAP4rev1 SASL-IR AUTH=PLAIN IDLE").start([](Client& c) -> Result<> {
        EXPECT_TRUE(notify(c).error().is(ImapError::capability_missing));
        return {};
    });
    scenario.client("").run();
    Scenario many;
    many.open_folder(k_notifying).start([](Client& c) -> Result<> {
        EXPECT_TRUE(c.notify({}).error().is(ImapError::bad_argument));
        const std::vector<FolderName> folders(65, *FolderName::from_utf8("x"));
        EXPECT_TRUE(c.notify(folders).error().is(ImapError::bad_argument));
        return {};
    });
    many.client("").run();
}

TEST(Notify, malformed_news_end_the_connection) {
    for (const std::string told :
         {"* STATUS Junk\r\n", "* STATUS Junk (UIDNEXT\r\n", "* STATUS (UIDNEXT 1)\r\n",
          "* STATUS Junk (UIDNEXT 1) x\r\n", "* STATUS {3}\r\n\r\n\r (UIDNEXT 1)\r\n"}) {
        Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
        ASSERT_TRUE(client.receive(
            as_bytes("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN NOTIFY] ready\r\n")));
        ASSERT_TRUE(client.sign_in("ada", Secret::copy_of(as_bytes("pw"))));
        (void)client.take_output();
        ASSERT_TRUE(client.receive(
            as_bytes("A OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN NOTIFY] in\r\n")));
        ASSERT_TRUE(notify(client));
        EXPECT_FALSE(client.receive(as_bytes(told))) << told;
        EXPECT_EQ(client.status(), Client::Status::closed) << told;
    }
}

}  // namespace
}  // namespace postern::imap
