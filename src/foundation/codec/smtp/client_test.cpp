#include "foundation/codec/smtp/client.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/smtp/outcome.h"
#include "foundation/codec/smtp/scenario_test.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace postern::smtp {
namespace {

constexpr const char* k_postfix =
    "250-SIZE 10240000\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n"
    "250-8BITMIME\r\n250 SMTPUTF8\r\n";
constexpr const char* k_bare = "250 HELP\r\n";

std::function<Result<>(Client&)> sign_in(std::string user, std::string password) {
    return [user, password](Client& c) {
        return c.sign_in(user, Secret::copy_of(as_bytes(password)));
    };
}

TEST(Submission, with_starttls_and_sign_in_delivers) {
    Scenario scenario({.tls = false, .ehlo_name = "[127.0.0.1]"});
    scenario.server("220-mail.example.org ESMTP Postfix\r\n220 (Debian)\r\n");
    scenario.client("EHLO [127.0.0.1]\r\n");
    scenario.server("250-mail.example.org\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
    scenario.start([](Client& c) { return c.start_tls(); }).client("STARTTLS\r\n");
    scenario.server("220 2.0.0 Ready to start TLS\r\n").status(Client::Status::tls_handshake);
    scenario.start([](Client& c) { return c.tls_started(); }).client("EHLO [127.0.0.1]\r\n");
    scenario.server(std::string("250-mail.example.org\r\n") + k_postfix);
    scenario.start(sign_in("ada", "pw")).client("AUTH PLAIN AGFkYQBwdw==\r\n");
    scenario.server("235 2.7.0 Authentication successful\r\n").outcome("none");
    scenario.send({"bea@example.net"}, "A: b\r\n\r\n.x\n");
    scenario.client("MAIL FROM:<ada@example.org> SIZE=8\r\n").server("250 2.1.0 Ok\r\n");
    scenario.client("RCPT TO:<bea@example.net>\r\n").server("250 2.1.5 Ok\r\n");
    scenario.client("DATA\r\n").server("354 End data with <CR><LF>.<CR><LF>\r\n");
    scenario.client("A: b\r\n\r\n..x\r\n").dot();
    scenario.server("250 2.0.0 Ok: queued as 4ABC\r\n").outcome("delivered done 250 2.0.0");
    scenario.status(Client::Status::ready);
    scenario.send({"cy@example.net"}, "").client("MAIL FROM:<ada@example.org> SIZE=8\r\n");
    scenario.server("250 ok\r\n").client("RCPT TO:<cy@example.net>\r\n").server("250 ok\r\n");
    scenario.client("DATA\r\n").server("354\r\n").client("").dot().server("250 ok\r\n");
    scenario.outcome("delivered done 250").run();
}

TEST(Submission, signs_in_with_login_where_plain_is_not_offered) {
    Scenario scenario;
    scenario.greet("250 AUTH LOGIN XOAUTH2\r\n")
        .start(sign_in("ada", "pw"))
        .client("AUTH LOGIN\r\n");
    scenario.server("334 VXNlcm5hbWU6\r\n").client("YWRh\r\n");
    scenario.server("334 UGFzc3dvcmQ6\r\n").client("cHc=\r\n");
    scenario.server("235 ok\r\n").outcome("none").status(Client::Status::ready).run();
}

TEST(Submission, long_password_waits_for_the_server) {
    Scenario scenario;
    scenario.greet("250 AUTH PLAIN\r\n")
        .start(sign_in("a", std::string(400, 'a')))
        .client("AUTH PLAIN\r\n");
    std::string expected = "AGEA";
    for (int i = 0; i < 133; ++i) {
        expected += "YWFh";
    }
    scenario.server("334 \r\n")
        .client(expected + "YQ==\r\n")
        .server("235 ok\r\n")
        .outcome("none")
        .run();
}

/// Everything up to the sign-in, which is not needed in these tests.
Scenario to_recipients(const std::vector<std::string>& to, bool all) {
    Scenario scenario;
    scenario.greet(k_bare).send(to, "a\r\n", all).client("MAIL FROM:<ada@example.org>\r\n");
    scenario.server("250 ok\r\n");
    return scenario;
}

TEST(Submission, refused_recipient_stops_the_mail_for_all) {
    Scenario scenario = to_recipients({"a@x", "b@x", "c@x"}, true);
    scenario.client("RCPT TO:<a@x>\r\n").server("250 ok\r\n");
    scenario.client("RCPT TO:<b@x>\r\n").server("451 4.7.1 greylisted\r\n");
    scenario.client("RCPT TO:<c@x>\r\n").server("550 5.1.1 unknown\r\n");
    scenario.outcome("permanent rcpt_to 550 5.1.1 [1 451] [2 550]").client("");
    scenario.send({"a@x"}, "a").client("RSET\r\n").server("250 ok\r\n");
    scenario.client("MAIL FROM:<ada@example.org>\r\n").run();
}

TEST(Submission, refused_recipient_is_reported_where_the_others_get_it) {
    Scenario scenario = to_recipients({"a@x", "b@x"}, false);
    scenario.client("RCPT TO:<a@x>\r\n").server("450 later\r\n");
    scenario.client("RCPT TO:<b@x>\r\n").server("251 will forward\r\n");
    scenario.client("DATA\r\n").server("354 go\r\n").client("a\r\n").dot();
    scenario.server("250 ok\r\n").outcome("delivered done 250 [0 450]").run();
    Scenario nobody = to_recipients({"a@x"}, false);
    nobody.client("RCPT TO:<a@x>\r\n").server("450 later\r\n");
    nobody.outcome("transient rcpt_to 450 [0 450]").run();
}

struct Refusal {
    std::string reply;
    std::string expected;
    Client::Status status = Client::Status::ready;
};

TEST(Submission, refusal_names_its_stage) {
    using Status = Client::Status;
    const auto check = [](const std::function<void(Scenario&)>& before,
                          const std::vector<Refusal>& refusals) {
        for (const Refusal& refusal : refusals) {
            Scenario scenario;
            before(scenario);
            scenario.server(refusal.reply).outcome(refusal.expected).status(refusal.status);
            scenario.client("").run();
        }
    };
    check([](Scenario&) {},
          {{"554 5.7.1 blocked\r\n", "permanent greeting 554 5.7.1", Status::closed},
           {"421 busy\r\n", "transient greeting 421", Status::closed}});
    check([](Scenario& s) { s.server("220 hi\r\n").client("EHLO localhost\r\n"); },
          {{"502 no\r\n", "permanent ehlo 502", Status::closed},
           {"451 no\r\n", "transient ehlo 451", Status::closed}});
    check(
        [](Scenario& s) {
            s.greet("250 AUTH PLAIN\r\n").start(sign_in("ada", "pw"));
            s.client("AUTH PLAIN AGFkYQBwdw==\r\n");
        },
        {{"454 4.7.0 pw cannot be looked up\r\n", "transient auth 454 4.7.0"},
         {"432 4.7.12 in transition\r\n", "transient auth 432 4.7.12"},
         {"535 5.7.8 pw is wrong\r\n", "permanent auth 535 5.7.8"},
         {"454 4.7.0 later\r\n", "transient auth 454 4.7.0"},
         {"421 4.7.0 bye\r\n", "transient auth 421 4.7.0", Status::closed},
         {"334 more\r\n", "broken auth 334", Status::closed}});
    check(
        [](Scenario& s) {
            s.greet(k_bare).send({"a@x"}, "a").client("MAIL FROM:<ada@example.org>\r\n");
        },
        {{"530 5.7.0 sign in\r\n", "permanent mail_from 530 5.7.0"},
         {"452 4.3.1 full\r\n", "transient mail_from 452 4.3.1"},
         {"354 what\r\n", "broken mail_from 354", Status::closed}});
    check(
        [](Scenario& s) {
            s = to_recipients({"a@x", "b@x"}, true);
            s.client("RCPT TO:<a@x>\r\n");
        },
        {{"421 bye\r\n", "transient rcpt_to 421 [0 421]", Status::closed},
         {"354 what\r\n", "broken rcpt_to 354", Status::closed}});
    const auto to_data = [](Scenario& s) {
        s = to_recipients({"a@x"}, true);
        s.client("RCPT TO:<a@x>\r\n").server("250 ok\r\n").client("DATA\r\n");
    };
    check(to_data, {{"554 no\r\n", "permanent data 554"},
                    {"451 no\r\n", "transient data 451"},
                    {"250 what\r\n", "broken data 250", Status::closed}});
    check(
        [&](Scenario& s) {
            to_data(s);
            s.server("354 go\r\n").client("a\r\n").status(Status::before_final_dot);
        },
        {{"421 timeout\r\n", "transient body 421", Status::closed},
         {"552 too much\r\n", "permanent body 552", Status::closed},
         {"250 made up\r\n", "broken body 250", Status::closed}});
    check(
        [&](Scenario& s) {
            to_data(s);
            s.server("354 go\r\n").client("a\r\n").dot();
        },
        {{"550 5.7.1 spam\r\n", "permanent final_dot 550 5.7.1"},
         {"451 4.3.0 later\r\n", "transient final_dot 451 4.3.0"},
         {"421 4.3.0 bye\r\n", "transient final_dot 421 4.3.0", Status::closed},
         {"354 again\r\n", "unknown final_dot 354", Status::closed}});
}

/// A client whose session is open; `extensions` ends the EHLO answer.
void open(Client& client, const std::string& extensions) {
    client.receive(as_bytes("220 hi\r\n"));
    (void)client.take_output();
    client.receive(as_bytes("250-x\r\n" + extensions));
    ASSERT_EQ(client.status(), Client::Status::ready);
}
/// ... and a mail waits at its final dot.
void bring_to_dot(Client& client) {
    open(client, k_bare);
    ASSERT_TRUE(client.send(envelope_to({"a@x"}), mail_of("a")));
    for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
        (void)client.take_output();
        client.receive(as_bytes(reply));
    }
    (void)all_output(client);
    ASSERT_EQ(client.status(), Client::Status::before_final_dot);
}

TEST(FinalDot, without_a_valid_answer_the_outcome_is_unknown) {
    for (const std::string& said :
         {std::string(), std::string("2"), std::string("250 ok"), std::string("250-ok\r\n"),
          std::string("999 what\r\n"), std::string("250-a\r\n550 b\r\n"), std::string("\n"),
          std::string("200 ") + std::string(5000, 'x')}) {
        Client client({.tls = true});
        bring_to_dot(client);
        ASSERT_TRUE(client.send_final_dot());
        EXPECT_EQ(all_output(client), ".\r\n");
        client.receive(as_bytes(said));
        client.connection_lost();
        const auto outcome = client.take_outcome();
        ASSERT_TRUE(outcome) << said;
        EXPECT_EQ(outcome->verdict, Verdict::unknown) << said;
        EXPECT_EQ(outcome->stage, Stage::final_dot);
        EXPECT_TRUE(outcome->error);
    }
}

TEST(FinalDot, is_unknown_from_the_call_on_even_if_it_was_not_written) {
    Client client({.tls = true});
    bring_to_dot(client);
    ASSERT_TRUE(client.send_final_dot());
    client.connection_lost();
    EXPECT_EQ(client.take_outcome()->verdict, Verdict::unknown);
}

TEST(FinalDot, answer_that_came_before_it_is_not_its_answer) {
    Client whole({.tls = true});
    bring_to_dot(whole);
    whole.receive(as_bytes("250 ok\r\n"));
    EXPECT_FALSE(whole.send_final_dot());
    EXPECT_EQ(whole.take_outcome()->verdict, Verdict::broken);

    Client begun({.tls = true});
    bring_to_dot(begun);
    begun.receive(as_bytes("250 o"));
    EXPECT_FALSE(begun.send_final_dot());
    EXPECT_TRUE(all_output(begun).empty());
    EXPECT_EQ(begun.take_outcome()->verdict, Verdict::broken);

    Client early({.tls = true});
    bring_to_dot(early);
    ASSERT_TRUE(early.send_final_dot());
    early.receive(as_bytes("250 ok\r\n"));
    EXPECT_EQ(early.take_outcome()->verdict, Verdict::unknown);
}

TEST(FinalDot, can_be_sent_only_when_the_whole_mail_was) {
    Client client({.tls = true});
    EXPECT_FALSE(client.send_final_dot());
    open(client, k_bare);
    EXPECT_FALSE(client.send_final_dot());
    ASSERT_TRUE(client.send(envelope_to({"a@x"}), mail_of(std::string(100, 'a'))));
    EXPECT_FALSE(client.send_final_dot());
}

TEST(Outcome, delivered_stays_delivered_when_the_connection_ends_after_it) {
    for (const std::string said : {"", "421 bye\r\n", "\n"}) {
        Client client({.tls = true});
        bring_to_dot(client);
        ASSERT_TRUE(client.send_final_dot());
        (void)all_output(client);
        client.receive(as_bytes("250 2.0.0 <abc@mx> queued\r\n"));
        client.receive(as_bytes(said));
        client.connection_lost();
        const auto outcome = client.take_outcome();
        ASSERT_TRUE(outcome);
        EXPECT_EQ(outcome->verdict, Verdict::delivered);
        EXPECT_EQ(outcome->reply.text, "2.0.0 <abc@mx> queued");
        EXPECT_FALSE(outcome->error);
        EXPECT_FALSE(client.take_outcome());
        EXPECT_EQ(client.status(), Client::Status::closed);
    }
}

TEST(Outcome, of_a_sign_in_holds_nothing_the_server_repeated) {
    Client client({.tls = true});
    open(client, "250 AUTH PLAIN\r\n");
    ASSERT_TRUE(client.sign_in("ada", Secret::copy_of(as_bytes("hunter2"))));
    (void)all_output(client);
    client.receive(as_bytes("535 5.7.8 hunter2 is not the password\r\n"));
    const auto outcome = client.take_outcome();
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->error->is(SmtpError::refused_sign_in));
    EXPECT_EQ(outcome->reply.text, "");
    EXPECT_EQ(outcome->error->detail(), "reply 535");
}

TEST(Outcome, stage_connect_means_not_one_byte_was_seen) {
    Client silent({.tls = true});
    silent.connection_lost();
    EXPECT_EQ(describe_outcome(silent.take_outcome()), "broken connect 0");
    Client begun({.tls = true});
    begun.receive(as_bytes("2"));
    begun.connection_lost();
    EXPECT_EQ(describe_outcome(begun.take_outcome()), "broken greeting 0");
    Client wrong({.tls = true});
    wrong.receive(as_bytes("* OK IMAP4rev1 ready\r\n"));
    EXPECT_EQ(describe_outcome(wrong.take_outcome()), "broken greeting 0");
}

TEST(StartTls, bytes_behind_the_answer_end_the_connection) {
    for (const bool together : {true, false}) {
        Client client({.tls = false});
        open(client, "250 STARTTLS\r\n");
        ASSERT_TRUE(client.start_tls());
        (void)all_output(client);
        const std::string answer = "220 go\r\n";
        const std::string injected = "250-AUTH PLAIN\r\n250 x\r\n";
        if (together) {
            client.receive(as_bytes(answer + injected));
        } else {
            client.receive(as_bytes(answer));
            client.receive(as_bytes(injected));
        }
        EXPECT_EQ(client.status(), Client::Status::closed);
        EXPECT_FALSE(client.tls_started());
        EXPECT_EQ(describe_outcome(client.take_outcome()), "broken starttls 0");
    }
}

TEST(StartTls, extensions_learnt_in_clear_are_forgotten) {
    Client client({.tls = false});
    open(client, "250-AUTH PLAIN\r\n250 STARTTLS\r\n");
    ASSERT_TRUE(client.start_tls());
    (void)all_output(client);
    client.receive(as_bytes("220 go\r\n"));
    ASSERT_TRUE(client.tls_started());
    EXPECT_FALSE(client.extensions().auth_plain);
    EXPECT_FALSE(client.start_tls());
}

TEST(StartTls, must_be_offered_and_may_be_refused) {
    Client without({.tls = false});
    open(without, k_bare);
    EXPECT_TRUE(without.start_tls().error().is(SmtpError::starttls_not_offered));
    Client refused({.tls = false});
    open(refused, "250 STARTTLS\r\n");
    ASSERT_TRUE(refused.start_tls());
    (void)all_output(refused);
    refused.receive(as_bytes("454 4.7.0 not now\r\n"));
    EXPECT_EQ(describe_outcome(refused.take_outcome()), "transient starttls 454 4.7.0");
    EXPECT_TRUE(
        refused.sign_in("a", Secret::copy_of(as_bytes("b"))).error().is(SmtpError::tls_required));
}

TEST(SignIn, is_refused_in_clear_unless_allowed) {
    const Secret password = Secret::copy_of(as_bytes("pw"));
    Client clear({.tls = false});
    open(clear, "250 AUTH PLAIN\r\n");
    EXPECT_TRUE(clear.sign_in("ada", password).error().is(SmtpError::tls_required));
    EXPECT_TRUE(all_output(clear).empty());
    Client loopback({.tls = false, .allow_plaintext_sign_in = true});
    open(loopback, "250 AUTH PLAIN\r\n");
    EXPECT_TRUE(loopback.sign_in("ada", password));
    Client without({.tls = true});
    open(without, "250 AUTH CRAM-MD5 XOAUTH2\r\n");
    EXPECT_TRUE(without.sign_in("ada", password).error().is(SmtpError::no_sign_in_method));
    EXPECT_TRUE(without.extensions().auth_oauth);
}

TEST(SignIn, injection_is_refused) {
    using namespace std::string_literals;
    for (const std::string& bad :
         {""s, "a\r\nMAIL FROM:<>"s, "a\nb"s, "a\0b"s, std::string(4001, 'a')}) {
        Client client({.tls = true});
        open(client, "250 AUTH PLAIN LOGIN\r\n");
        const Secret fine = Secret::copy_of(as_bytes("pw"));
        EXPECT_TRUE(client.sign_in(bad, fine).error().is(SmtpError::bad_argument));
        const Secret secret = Secret::copy_of(as_bytes(bad));
        EXPECT_TRUE(client.sign_in("ada", secret).error().is(SmtpError::bad_argument));
        EXPECT_TRUE(all_output(client).empty());
    }
}

TEST(Send, refused_before_a_byte_is_sent_when_the_server_cannot_take_it) {
    Client client({.tls = true});
    open(client, "250 SIZE 1000\r\n");
    const auto refused = [&](const Envelope& envelope, SmtpError error) {
        const auto sent = client.send(envelope, mail_of("a"));
        EXPECT_FALSE(sent);
        EXPECT_TRUE(sent || sent.error().is(error));
        EXPECT_TRUE(all_output(client).empty());
    };
    Envelope envelope = envelope_to({"a@x"});
    envelope.mail_bytes = 1001;
    refused(envelope, SmtpError::message_too_large);
    envelope = envelope_to({"a@x"});
    envelope.has_8bit = true;
    refused(envelope, SmtpError::eight_bit_not_offered);
    refused(envelope_to({"a@x", "\xc3\xbc@x"}), SmtpError::smtputf8_not_offered);
    refused(envelope_to({}), SmtpError::bad_argument);
    refused(envelope_to(std::vector<std::string>(101, "a@x")), SmtpError::too_many_recipients);
    EXPECT_FALSE(client.send(envelope_to({"a@x"}), {}));
    envelope = envelope_to({"a@x"});
    envelope.mail_bytes = 1000;
    EXPECT_TRUE(client.send(envelope, mail_of("a")));
    EXPECT_FALSE(client.send(envelope, mail_of("a")));
}

TEST(Send, asks_for_what_the_mail_needs) {
    Client client({.tls = true, .ehlo_name = "bad name\r\nRSET"});
    client.receive(as_bytes("220 hi\r\n"));
    EXPECT_EQ(all_output(client), "EHLO localhost\r\n");
    client.receive(as_bytes(std::string("250-x\r\n") + k_postfix));
    Envelope envelope = envelope_to({"\xc3\xbc@x"});
    envelope.has_8bit = true;
    ASSERT_TRUE(client.send(envelope, mail_of("a")));
    EXPECT_EQ(all_output(client), "MAIL FROM:<ada@example.org> SIZE=8 BODY=8BITMIME SMTPUTF8\r\n");
}

TEST(Send, mail_of_50_mb_is_never_held_whole) {
    Client client({.tls = true});
    open(client, k_bare);
    std::uint64_t left = 50ull * 1024 * 1024;
    const auto source = [&left](std::span<std::uint8_t> room) -> Result<std::size_t> {
        const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), left));
        std::fill_n(room.begin(), n, std::uint8_t{'\n'});
        left -= n;
        return n;
    };
    ASSERT_TRUE(client.send(envelope_to({"a@x"}), source));
    for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
        (void)client.take_output();
        client.receive(as_bytes(reply));
    }
    std::uint64_t total = 0;
    std::size_t largest = 0;
    for (WipedBytes part = client.take_output(); !part.empty(); part = client.take_output()) {
        total += part.size();
        largest = std::max(largest, part.size());
    }
    EXPECT_EQ(total, 100ull * 1024 * 1024);
    EXPECT_LE(largest, 128u * 1024);
    EXPECT_EQ(client.status(), Client::Status::before_final_dot);
}

TEST(Send, failing_source_breaks_off_before_the_final_dot) {
    Client client({.tls = true});
    open(client, k_bare);
    int calls = 0;
    const auto source = [&calls](std::span<std::uint8_t> room) -> Result<std::size_t> {
        if (++calls == 2) return fail(SmtpError::local_stream_failed);
        room[0] = 'a';
        return 1;
    };
    ASSERT_TRUE(client.send(envelope_to({"a@x"}), source));
    for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
        (void)client.take_output();
        client.receive(as_bytes(reply));
    }
    EXPECT_EQ(all_output(client), "a");
    EXPECT_EQ(client.status(), Client::Status::closed);
    const auto outcome = client.take_outcome();
    EXPECT_EQ(describe_outcome(outcome), "broken body 0");
    EXPECT_TRUE(outcome->error->is(SmtpError::local_stream_failed));
}

TEST(Send, refusal_in_the_middle_of_the_mail_is_seen) {
    Client client({.tls = true});
    open(client, k_bare);
    ASSERT_TRUE(client.send(envelope_to({"a@x"}), mail_of(std::string(100, 'a'))));
    for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
        (void)client.take_output();
        client.receive(as_bytes(reply));
    }
    EXPECT_FALSE(client.take_output().empty());
    client.receive(as_bytes("552 5.3.4 too large\r\n"));
    EXPECT_EQ(describe_outcome(client.take_outcome()), "permanent body 552 5.3.4");
    EXPECT_TRUE(client.take_output().empty());
    EXPECT_EQ(client.status(), Client::Status::closed);
}

TEST(Quit, ends_with_or_without_an_answer) {
    for (const std::string said : {"221 bye\r\n", "", "garbage\r\n"}) {
        Client client({.tls = true});
        open(client, k_bare);
        ASSERT_TRUE(client.quit());
        EXPECT_EQ(all_output(client), "QUIT\r\n");
        client.receive(as_bytes(said));
        client.connection_lost();
        EXPECT_EQ(client.status(), Client::Status::closed);
        EXPECT_FALSE(client.take_outcome());
        EXPECT_FALSE(client.quit());
    }
}

}  // namespace
}  // namespace postern::smtp
