#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/capabilities.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/scenario_test.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::imap {
namespace {

Secret secret(std::string_view text) {
    return Secret::copy_of(as_bytes(text));
}
auto ask_capabilities() {
    return [](Client& c) { return c.ask_capabilities(); };
}
auto sign_in(std::string user, std::string password) {
    return [user, password](Client& c) { return c.sign_in(user, secret(password)); };
}

ClientOptions plain() {
    return {.tls = false, .allow_plaintext_sign_in = false, .limits = {}};
}

TEST(Session, starts_tls_signs_in_and_out) {
    Scenario scenario(plain());
    scenario.server(
        "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ "
        "STARTTLS LOGINDISABLED] Dovecot (Debian) ready.\r\n");
    scenario.start([](Client& c) { return c.start_tls(); }).client("A STARTTLS\r\n");
    scenario.server("A OK Begin TLS negotiation now.\r\n").done();
    scenario.status(Client::Status::tls_handshake);
    scenario.start([](Client& c) { return c.tls_started(); });
    scenario.start(ask_capabilities()).client("B CAPABILITY\r\n");
    scenario.server("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN\r\nB OK ok\r\n").done();
    scenario.start(sign_in("ada", "pw")).client("C AUTHENTICATE PLAIN AGFkYQBwdw==\r\n");
    scenario.server("C OK [CAPABILITY IMAP4rev1 IDLE] Logged in\r\n").done();
    scenario.status(Client::Status::ready);
    scenario.run();
}

TEST(Session, signs_in_without_initial_response) {
    Scenario scenario;
    scenario.server("* OK The Microsoft Exchange IMAP4 service is ready. [QQBNADAA]\r\n");
    scenario.start(ask_capabilities()).client("A CAPABILITY\r\n");
    scenario
        .server(
            "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 UIDPLUS ID UNSELECT "
            "CHILDREN IDLE NAMESPACE LITERAL+\r\nA OK CAPABILITY completed.\r\n")
        .done();
    scenario.start(sign_in("ada", "pw")).client("B AUTHENTICATE PLAIN\r\n");
    scenario.server("+ \r\n").client("AGFkYQBwdw==\r\n");
    scenario.server("B OK AUTHENTICATE completed.\r\n").done();
    scenario.run();
}

TEST(Session, takes_capabilities_that_come_untagged_with_the_sign_in) {
    Scenario scenario;
    scenario.server("* OK Gimap ready for requests from 192.0.2.1 a1b2c3\r\n");
    scenario.start(ask_capabilities()).client("A CAPABILITY\r\n");
    scenario
        .server(
            "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN X-GM-EXT-1\r\nA OK Thats all she "
            "wrote! 123\r\n")
        .done();
    scenario.start(sign_in("ada", "pw")).client("B AUTHENTICATE PLAIN AGFkYQBwdw==\r\n");
    scenario.server("* CAPABILITY IMAP4rev1 IDLE X-GM-EXT-1\r\nB OK ada authenticated\r\n");
    scenario.answer("idle gmail", [](Client& c) {
        if (!c.take<Done>()) return std::string("error");
        const Capabilities& caps = c.capabilities();
        return std::string(caps.known && caps.idle ? "idle" : "") + (caps.gmail ? " gmail" : "");
    });
    scenario.run();
}

TEST(Session, uses_login_where_plain_is_not_offered) {
    Scenario scenario;
    scenario.server("* OK [CAPABILITY IMAP4rev1] hello\r\n");
    scenario.start(sign_in("a\"d\\a", "p w")).client("A LOGIN \"a\\\"d\\\\a\" \"p w\"\r\n");
    scenario.server("A OK done\r\n").done();
    scenario.run();
}

TEST(Session, login_with_8bit_password_waits_for_the_server) {
    Scenario scenario;
    scenario.server("* OK [CAPABILITY IMAP4rev1] hello\r\n");
    scenario.start(sign_in("ada", "p\xc3\xa4")).client("A LOGIN \"ada\" {3}\r\n");
    scenario.server("+ go on\r\n").client("p\xc3\xa4\r\n");
    scenario.server("A OK done\r\n").done();
    scenario.run();
}

TEST(Session, login_with_8bit_password_does_not_wait_where_the_server_allows_it) {
    Scenario scenario;
    scenario.server("* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n");
    scenario.start(sign_in("ada", "p\xc3\xa4")).client("A LOGIN \"ada\" {3+}\r\np\xc3\xa4\r\n");
    scenario.server("A OK done\r\n").done();
    scenario.run();
}

/// A session that has asked for nothing yet.
void greet(Client& client, const std::string& capabilities) {
    ASSERT_TRUE(client.receive(as_bytes("* OK [CAPABILITY " + capabilities + "] hi\r\n")));
    ASSERT_EQ(client.status(), Client::Status::ready);
}

TEST(Session, refused_sign_in_names_the_reason_but_not_what_the_server_said) {
    struct Case {
        std::string line;
        ImapError error;
        std::string detail;
    };
    const std::vector<Case> cases{
        {"NO [AUTHENTICATIONFAILED] hunter2 is wrong", ImapError::refused_sign_in,
         "AUTHENTICATIONFAILED"},
        {"NO hunter2 is wrong", ImapError::refused_sign_in, ""},
        {"NO [UNAVAILABLE] hunter2", ImapError::server_unavailable, "UNAVAILABLE"},
        {"NO [LIMIT] hunter2", ImapError::limit_reached, "LIMIT"},
        {"NO [PRIVACYREQUIRED] hunter2", ImapError::tls_required, "PRIVACYREQUIRED"},
        {"BAD unknown command AUTHENTICATE hunter2", ImapError::command_refused, ""},
    };
    for (const Case& c : cases) {
        Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
        greet(client, "IMAP4rev1 AUTH=PLAIN SASL-IR");
        ASSERT_TRUE(client.sign_in("ada", secret("hunter2")));
        (void)client.take_output();
        ASSERT_TRUE(client.receive(as_bytes("A " + c.line + "\r\n")));
        const auto answer = client.take<Done>();
        ASSERT_FALSE(answer);
        EXPECT_TRUE(answer.error().is(c.error)) << c.line;
        EXPECT_EQ(answer.error().detail(), c.detail);
        EXPECT_EQ(client.status(), Client::Status::ready);
        EXPECT_FALSE(client.signed_in());
    }
}

TEST(Session, password_is_not_sent_in_clear) {
    Client client(plain());
    greet(client, "IMAP4rev1 AUTH=PLAIN");
    EXPECT_TRUE(client.sign_in("ada", secret("pw")).error().is(ImapError::tls_required));
    EXPECT_TRUE(client.take_output().empty());
    Client loopback({.tls = false, .allow_plaintext_sign_in = true, .limits = {}});
    greet(loopback, "IMAP4rev1 AUTH=PLAIN");
    EXPECT_TRUE(loopback.sign_in("ada", secret("pw")));
}

TEST(Session, login_is_never_used_when_disabled) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    greet(client, "IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2");
    EXPECT_TRUE(client.sign_in("ada", secret("pw")).error().is(ImapError::no_sign_in_method));
    EXPECT_TRUE(client.capabilities().auth_oauth);
    EXPECT_TRUE(client.take_output().empty());
}

TEST(Session, injection_in_user_or_password_is_refused) {
    using namespace std::string_literals;
    for (const std::string& bad :
         {""s, "a\r\nB DELETE INBOX"s, "a\nb"s, "a\0b"s, std::string(4001, 'a')}) {
        Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
        greet(client, "IMAP4rev1");
        EXPECT_TRUE(client.sign_in(bad, secret("pw")).error().is(ImapError::bad_argument));
        EXPECT_TRUE(client.sign_in("ada", secret(bad)).error().is(ImapError::bad_argument));
        EXPECT_TRUE(client.take_output().empty());
        EXPECT_EQ(client.status(), Client::Status::ready);
    }
}

TEST(Session, bytes_behind_the_starttls_answer_end_the_connection) {
    for (const bool together : {true, false}) {
        Client client(plain());
        greet(client, "IMAP4rev1 STARTTLS");
        ASSERT_TRUE(client.start_tls());
        (void)client.take_output();
        const std::string answer = "A OK go\r\n";
        const std::string injected = "* CAPABILITY IMAP4rev1\r\n";
        Result<> last;
        if (together) {
            last = client.receive(as_bytes(answer + injected));
        } else {
            ASSERT_TRUE(client.receive(as_bytes(answer)));
            last = client.receive(as_bytes(injected));
        }
        ASSERT_FALSE(last);
        EXPECT_TRUE(last.error().is(ImapError::protocol_violation));
        EXPECT_EQ(client.status(), Client::Status::closed);
        EXPECT_FALSE(client.tls_started());
    }
}

TEST(Session, answer_before_the_command_was_sent_ends_the_connection) {
    Client client(plain());
    greet(client, "IMAP4rev1 STARTTLS");
    ASSERT_TRUE(client.start_tls());
    EXPECT_FALSE(client.receive(as_bytes("A OK go\r\n")));
    EXPECT_EQ(client.status(), Client::Status::closed);
}

TEST(Session, capabilities_learnt_in_clear_are_forgotten_under_tls) {
    Client client(plain());
    greet(client, "IMAP4rev1 STARTTLS AUTH=PLAIN");
    ASSERT_TRUE(client.start_tls());
    (void)client.take_output();
    ASSERT_TRUE(client.receive(as_bytes("A OK go\r\n")));
    ASSERT_TRUE(client.tls_started());
    EXPECT_FALSE(client.capabilities().known);
    EXPECT_TRUE(client.sign_in("ada", secret("pw")).error().is(ImapError::wrong_state));
}

TEST(Session, greetings_that_are_none_are_refused) {
    const std::vector<std::pair<std::string, ImapError>> cases{
        {"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n", ImapError::protocol_violation},
        {"* NO no\r\n", ImapError::protocol_violation},
        {"* 1 EXISTS\r\n", ImapError::protocol_violation},
        {"+ go\r\n", ImapError::protocol_violation},
        {"A OK\r\n", ImapError::protocol_violation},
        {"\r\n", ImapError::protocol_violation},
        {"220 smtp.example.org ESMTP\r\n", ImapError::protocol_violation},
        {"HTTP/1.1 400 Bad Request\r\n", ImapError::protocol_violation},
        {"* OK hi\n", ImapError::protocol_violation},
        {"* BYE too many connections\r\n", ImapError::connection_closed_by_server},
        {"* BYE [UNAVAILABLE] later\r\n", ImapError::server_unavailable},
        {"* OK " + std::string(64 * 1024, 'x'), ImapError::line_too_long},
    };
    for (const auto& [text, error] : cases) {
        Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
        const auto received = client.receive(as_bytes(text));
        ASSERT_FALSE(received) << text.substr(0, 40);
        EXPECT_TRUE(received.error().is(error)) << text.substr(0, 40);
        EXPECT_EQ(client.status(), Client::Status::closed);
        EXPECT_FALSE(client.noop());
    }
}

TEST(Session, sign_out_ends_cleanly_with_or_without_the_tagged_answer) {
    for (const bool tagged : {true, false}) {
        Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
        greet(client, "IMAP4rev1");
        ASSERT_TRUE(client.sign_out());
        EXPECT_EQ(as_text(client.take_output()), "A LOGOUT\r\n");
        ASSERT_TRUE(client.receive(as_bytes("* BYE see you\r\n")));
        if (tagged) {
            ASSERT_TRUE(client.receive(as_bytes("A OK bye\r\nleftover")));
        }
        client.connection_lost();
        EXPECT_EQ(client.status(), Client::Status::closed);
        EXPECT_TRUE(client.take<Done>());
    }
}

TEST(Session, lost_connection_is_the_answer_of_the_command) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    greet(client, "IMAP4rev1");
    ASSERT_TRUE(client.noop());
    client.connection_lost();
    for (int i = 0; i < 2; ++i) {
        const auto answer = client.take<Done>();
        ASSERT_FALSE(answer);
        EXPECT_TRUE(answer.error().is(ImapError::connection_closed_by_server));
    }
    EXPECT_TRUE(client.take_output().empty());
}

TEST(Session, one_command_at_a_time) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    EXPECT_TRUE(client.noop().error().is(ImapError::wrong_state));
    greet(client, "IMAP4rev1");
    EXPECT_TRUE(client.list_folders().error().is(ImapError::wrong_state));
    EXPECT_TRUE(client.idle().error().is(ImapError::wrong_state));
    EXPECT_TRUE(client.start_tls().error().is(ImapError::wrong_state));
    EXPECT_TRUE(client.take<Done>().error().is(ImapError::wrong_state));
    ASSERT_TRUE(client.noop());
    EXPECT_TRUE(client.ask_capabilities().error().is(ImapError::wrong_state));
    EXPECT_TRUE(client.take<Done>().error().is(ImapError::wrong_state));
    (void)client.take_output();
    ASSERT_TRUE(client.receive(as_bytes("A OK\r\n")));
    EXPECT_TRUE(client.take<FolderList>().error().is(ImapError::wrong_state));
}

TEST(Session, tags_and_continuations_nobody_asked_for_end_the_connection) {
    for (const std::string line : {"A OK early\r\n", "B OK other\r\n", "+ go\r\n", "*\r\n",
                                   "* \r\n", "* 5\r\n", "A\r\n", "A MAYBE\r\n", "A  OK\r\n"}) {
        Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
        greet(client, "IMAP4rev1");
        const bool early = line.starts_with("A OK");
        if (!early) {
            ASSERT_TRUE(client.noop());
        }
        if (!early) (void)client.take_output();
        const auto received = client.receive(as_bytes(line));
        ASSERT_FALSE(received) << line;
        EXPECT_TRUE(received.error().is(ImapError::protocol_violation));
    }
}

}  // namespace
}  // namespace postern::imap
