#include "features/mail/courier/sender.h"  // IWYU pragma: keep

#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/link_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/os/files.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::mail::courier::test {
namespace {

const std::string k_mail = "Subject: hello\r\n\r\nbody\r\n.dot\r\n";

class SenderTest : public CourierTest {
protected:
    SendMail request(const std::string& mail = k_mail) {
        SendMail asked;
        asked.ticket = {1};
        asked.message = message;
        asked.attempt = 7;
        asked.from = "maya@brand.example";
        asked.recipients = {"lea@creators.example", "tom@creators.example"};
        asked.raw = std::move(*os::make_memory_file(as_bytes(mail)));
        return asked;
    }
    async::Task<SendMail::Answer> send(SendMail asked) {
        auto sending = service->send(std::move(asked));
        co_return co_await std::move(sending);
    }
    async::Job scenario(SendMail asked) {
        auto sending = send(std::move(asked));
        outcome.emplace(co_await std::move(sending));
    }
    SendMail::Answer answer() {
        play(scenario(request()));
        if (!outcome || !*outcome) {
            ADD_FAILURE() << (outcome ? outcome->error().code() : "none");
            return {};
        }
        return **outcome;
    }

    async::Job again(SendMail asked, std::optional<Result<SendMail::Answer>>* into) {
        auto sending = send(std::move(asked));
        into->emplace(co_await std::move(sending));
    }
    async::Job both(std::optional<Result<SendMail::Answer>>* other) {
        co_await scenario(request());
        co_await until([other] { return other->has_value(); });
    }
    /// After the bound of what comes before the dot.
    async::Job answer_late() {
        auto waiting = async::wait_until(Deadline::in(options.until_dot));
        (void)co_await std::move(waiting);
        servers.at(0)->say("250 2.0.0 queued");
    }

    const MessageId message = MessageId::make(1);
    std::optional<Result<SendMail::Answer>> outcome;
    int recipients = 0;
};

TEST_F(SenderTest, mail_is_sent_whole_after_front_agreed) {
    front.on_dot = [this]() -> Result<> {
        EXPECT_EQ(submission->dots, 0);
        EXPECT_EQ(front.dot.message, message);
        EXPECT_EQ(front.dot.attempt, 7);
        return {};
    };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::sent);
    EXPECT_EQ(sent.code, 250);
    EXPECT_EQ(sent.enhanced, "2.0.0");
    EXPECT_NE(sent.text.find("<abc>"), std::string::npos);
    EXPECT_EQ(sent.error_code, "");
    EXPECT_EQ(front.dots_asked, 1);
    EXPECT_EQ(submission->dots, 1);
    EXPECT_EQ(submission->mail, "Subject: hello\r\n\r\nbody\r\n..dot\r\n");
    EXPECT_NE(servers.at(0)->from_client.find("RCPT TO:<tom@creators.example>"), std::string::npos);
}

TEST_F(SenderTest, front_that_does_not_agree_ends_it_without_the_dot) {
    front.on_dot = []() -> Result<> { return fail(MailError::mail_unreadable); };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::broken);
    EXPECT_EQ(sent.stage, SendStage::body);
    EXPECT_EQ(sent.error_code, "mail_unreadable");
    EXPECT_EQ(submission->dots, 0);
    EXPECT_EQ(servers.at(0)->from_client.find("\r\n.\r\n"), std::string::npos);
    EXPECT_TRUE(servers.at(0)->closed_by_client);
}

TEST_F(SenderTest, use_that_ends_before_the_dot_ends_it_without_the_dot) {
    front.on_dot = [this]() -> Result<> {
        EXPECT_EQ(service->end_uses({integration, true, {}}), 1U);
        return {};
    };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::broken);
    EXPECT_EQ(sent.error_code, "use_ended");
    EXPECT_EQ(submission->dots, 0);
}

TEST_F(SenderTest, use_that_ends_after_the_dot_leaves_it_unknown) {
    submission->before = [this](const std::string& step) {
        if (step == "DOT") service->end_uses({integration, true, {}});
    };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::unknown);
    EXPECT_EQ(sent.stage, SendStage::final_dot);
    EXPECT_EQ(sent.error_code, "use_ended");
}

struct StageRow {
    std::string step;
    SendStage stage;
};
const StageRow k_stages[] = {
    {"greeting", SendStage::greeting}, {"EHLO", SendStage::ehlo},
    {"STARTTLS", SendStage::starttls}, {"AUTH", SendStage::auth},
    {"MAIL", SendStage::mail_from},    {"RCPT", SendStage::rcpt_to},
    {"DATA", SendStage::data},
};

class SenderStageTest : public SenderTest, public ::testing::WithParamInterface<StageRow> {};
INSTANTIATE_TEST_SUITE_P(All, SenderStageTest, ::testing::ValuesIn(k_stages), [](const auto& row) {
    return row.param.step;
});

TEST_P(SenderStageTest, broken_connection_is_not_delivered) {
    submission->replies[GetParam().step] = "";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::broken);
    // Without a greeting nothing of the server was seen.
    const bool greeted = GetParam().step != "greeting";
    EXPECT_EQ(sent.stage, greeted ? GetParam().stage : SendStage::connect);
    EXPECT_EQ(sent.error_code, "connection_lost");
    EXPECT_EQ(sent.code, 0);
    EXPECT_EQ(front.dots_asked, 0);
    EXPECT_EQ(submission->dots, 0);
}
TEST_P(SenderStageTest, refusal_tells_its_stage_and_whether_to_try_again) {
    submission->replies[GetParam().step] = "554 5.7.1 no";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::refused);
    EXPECT_EQ(sent.stage, GetParam().stage);
    EXPECT_EQ(sent.code, 554);
    EXPECT_FALSE(sent.transient);
    EXPECT_EQ(front.dots_asked, 0);
}
TEST_P(SenderStageTest, transient_refusal_is_told_as_such) {
    submission->replies[GetParam().step] = "451 4.3.0 later";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::refused);
    EXPECT_EQ(sent.stage, GetParam().stage);
    EXPECT_TRUE(sent.transient);
    EXPECT_EQ(submission->dots, 0);
}

TEST_F(SenderTest, broken_after_the_dot_is_unknown) {
    submission->replies["DOT"] = "";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::unknown);
    EXPECT_EQ(sent.stage, SendStage::final_dot);
    EXPECT_EQ(sent.error_code, "connection_lost");
    EXPECT_EQ(submission->dots, 1);
}
TEST_F(SenderTest, silence_after_the_dot_is_unknown) {
    options.session.final_dot = std::chrono::milliseconds(20);
    submission->before = [this](const std::string& step) {
        if (step == "DOT") submission->replies["DOT"] = "250-more";
    };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::unknown);
    EXPECT_EQ(sent.error_code, "timed_out");
}
TEST_F(SenderTest, refusal_of_the_dot_is_not_delivered) {
    submission->replies["DOT"] = "552 5.3.4 too big";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::refused);
    EXPECT_EQ(sent.stage, SendStage::final_dot);
    EXPECT_FALSE(sent.transient);
}

TEST_F(SenderTest, refused_recipient_is_named_and_nobody_gets_the_mail) {
    submission->before = [this](const std::string& step) {
        if (step == "RCPT")
            submission->replies["RCPT"] = ++recipients == 2 ? "550 5.1.1 who" : "250 ok";
    };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::refused);
    EXPECT_EQ(sent.stage, SendStage::rcpt_to);
    ASSERT_EQ(sent.refused.size(), 1U);
    EXPECT_EQ(sent.refused[0].address, "tom@creators.example");
    EXPECT_EQ(sent.refused[0].code, 550);
    EXPECT_EQ(submission->dots, 0);
}

TEST_F(SenderTest, refused_sign_in_is_tried_once_and_shows_nothing_of_the_server) {
    submission->replies["AUTH"] = "535 5.7.8 wrong password hunter2";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::refused);
    EXPECT_EQ(sent.stage, SendStage::auth);
    EXPECT_EQ(sent.error_code, "sign_in_refused");
    EXPECT_EQ(sent.text.find("hunter2"), std::string::npos);
    EXPECT_EQ(submission->connections, 1);
}

TEST_F(SenderTest, sign_in_that_is_refused_for_now_says_nothing_of_the_password) {
    for (const auto* reply :
         {"454 4.7.0 try later hunter2", "432 4.7.12 transition", "421 4.3.2 bye"}) {
        SCOPED_TRACE(reply);
        submission->replies["AUTH"] = reply;
        io.restart();
        const auto sent = answer();
        EXPECT_EQ(sent.result, SendResult::refused);
        EXPECT_EQ(sent.stage, SendStage::auth);
        EXPECT_TRUE(sent.transient);
        EXPECT_EQ(sent.error_code, "sign_in_unavailable");
        EXPECT_EQ(sent.text, "");
    }
}

TEST_F(SenderTest, no_password_without_tls) {
    submission->replies["EHLO"] = "250-fake\r\n250 AUTH PLAIN";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::broken);
    EXPECT_EQ(sent.stage, SendStage::starttls);
    EXPECT_EQ(sent.error_code, "tls_failed");
    EXPECT_EQ(servers.at(0)->from_client.find("AUTH"), std::string::npos);
}

TEST_F(SenderTest, certificate_behind_starttls_counts) {
    submission->before = [this](const std::string& step) {
        if (step == "STARTTLS") servers.at(0)->tls_error = net::NetError::certificate_wrong_name;
    };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::broken);
    EXPECT_EQ(sent.stage, SendStage::starttls);
    EXPECT_EQ(sent.error_code, "certificate_wrong_name");
    EXPECT_EQ(servers.at(0)->from_client.find("AUTH"), std::string::npos);
}

TEST_F(SenderTest, connection_that_cannot_be_had_is_not_delivered) {
    connector.hosts["smtp"] = []() -> Result<std::shared_ptr<FakeServer>> {
        return fail(net::NetError::certificate_expired);
    };
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::broken);
    EXPECT_EQ(sent.stage, SendStage::connect);
    EXPECT_EQ(sent.error_code, "certificate_expired");
}

TEST_F(SenderTest, what_the_server_says_it_will_not_take_is_refused_for_good) {
    submission->replies["EHLO"] = "250-fake\r\n250-STARTTLS\r\n250-SIZE 10\r\n250 AUTH PLAIN";
    const auto sent = answer();
    EXPECT_EQ(sent.result, SendResult::refused);
    EXPECT_FALSE(sent.transient);
    EXPECT_EQ(sent.error_code, "too_large");
    EXPECT_EQ(submission->dots, 0);
}

TEST_F(SenderTest, more_sends_than_allowed_are_refused) {
    options.sends_max = 0;
    play(scenario(request()));
    EXPECT_TRUE(outcome->error().is(ipc::IpcError::busy));
    EXPECT_EQ(credentials.redeemed, 0);
}

TEST_F(SenderTest, mail_that_is_being_submitted_is_refused) {
    std::optional<Result<SendMail::Answer>> second;
    std::optional<Result<SendMail::Answer>> other;
    submission->before = [&, this](const std::string& step) {
        if (step != "MAIL" || second) return;
        second.emplace(fail(MailError::connection_lost));
        scenarios.spawn("second", again(request(), &second));
        auto another = request();
        another.message = MessageId::make(2);
        scenarios.spawn("other", again(std::move(another), &other));
    };
    play(both(&other));
    EXPECT_EQ(outcome->value().result, SendResult::sent);
    EXPECT_TRUE(!*second && second->error().is(ipc::IpcError::busy));
    EXPECT_EQ(other->value().result, SendResult::sent);
    EXPECT_EQ(submission->dots, 2);
}

/// It is the bound of the whole way that ends it, not that of one reply.
TEST_F(SenderTest, server_that_never_comes_to_the_dot_is_given_up) {
    options.until_dot = std::chrono::milliseconds(500);
    options.session.stall = std::chrono::minutes(1);
    submission->before = [this](const std::string& step) {
        if (step == "RCPT" && ++recipients > 3) submission->replies["RCPT"] = "250-slow";
    };
    auto asked = request();
    asked.recipients.assign(50, "lea@creators.example");
    play(scenario(std::move(asked)));
    ASSERT_TRUE(outcome && *outcome);
    const auto& sent = outcome->value();
    EXPECT_EQ(sent.result, SendResult::broken);
    EXPECT_EQ(sent.stage, SendStage::rcpt_to);
    EXPECT_EQ(sent.error_code, "timed_out");
    EXPECT_EQ(front.dots_asked, 0);
    EXPECT_EQ(submission->dots, 0);
}

TEST_F(SenderTest, bound_of_the_way_to_the_dot_is_not_one_of_its_answer) {
    options.until_dot = std::chrono::milliseconds(1000);
    submission->before = [this](const std::string& step) {
        if (step != "DOT") return;
        submission->replies["DOT"] = "250-taking my time";
        scenarios.spawn("late", answer_late());
    };
    EXPECT_EQ(answer().result, SendResult::sent);
}

TEST_F(SenderTest, unsafe_envelope_or_unsealed_mail_connects_nowhere) {
    auto injected = request();
    injected.recipients = {"a@b.example>\r\nRCPT TO:<c@d.example"};
    play(scenario(std::move(injected)));
    EXPECT_TRUE(outcome->error().is(MailError::mail_unreadable));
    EXPECT_TRUE(connector.connected.empty());
}
TEST_F(SenderTest, mail_that_is_not_sealed_connects_nowhere) {
    auto asked = request();
    asked.raw = std::move(*os::empty_memory_file());
    play(scenario(std::move(asked)));
    EXPECT_TRUE(outcome->error().is(MailError::mail_unreadable));
    EXPECT_TRUE(connector.connected.empty());
}

}  // namespace
}  // namespace postern::mail::courier::test
