#include "features/mail/courier/verify.h"  // IWYU pragma: keep

#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/link_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

class VerifyTest : public CourierTest {
protected:
    async::Job scenario() {
        VerifyMailbox asked;
        asked.ticket = {1};
        auto verifying = service->verify(std::move(asked));
        outcome.emplace(co_await std::move(verifying));
    }
    /// "name:code" of each check.
    std::string checks() {
        play(scenario());
        if (!outcome || !*outcome) return "failed";
        std::string out;
        for (const auto& check : (*outcome)->checks) {
            EXPECT_EQ(check.good, check.code.empty());
            EXPECT_EQ(check.good, check.text.empty());
            EXPECT_EQ(check.text.find("hunter2"), std::string::npos);
            out += check.name + (check.good ? "" : ":" + check.code) + ";";
        }
        return out;
    }

    std::optional<Result<VerifyMailbox::Answer>> outcome;
};

TEST_F(VerifyTest, good_mailbox_passes_every_check) {
    EXPECT_EQ(checks(), "imap_connect;imap_sign_in;imap_folders;smtp_connect;smtp_sign_in;");
    EXPECT_EQ((*outcome)->checks[0].seen, "TLSv1.3");
    EXPECT_EQ((*outcome)->checks[2].seen, "2 to watch, with Sent");
    EXPECT_EQ(mailbox->count("EXAMINE"), 0U);
    EXPECT_EQ(submission->mail, "");
}
TEST_F(VerifyTest, starttls_on_imap) {
    credentials.next.destination.imap.tls = TlsUse::starttls;
    EXPECT_EQ(checks(), "imap_connect;imap_sign_in;imap_folders;smtp_connect;smtp_sign_in;");
    EXPECT_TRUE(servers.at(0)->tls);
}
TEST_F(VerifyTest, send_only_mailbox_has_no_imap) {
    credentials.next.destination.imap.port = 0;
    EXPECT_EQ(checks(), "smtp_connect;smtp_sign_in;");
    EXPECT_EQ(mailbox->connections, 0);
}
TEST_F(VerifyTest, refused_sign_in_is_tried_once_per_server) {
    mailbox->sign_in_answer = "NO [AUTHENTICATIONFAILED] hunter2";
    submission->replies["AUTH"] = "535 5.7.8 hunter2";
    EXPECT_EQ(checks(),
              "imap_connect;imap_sign_in:sign_in_refused;smtp_connect;"
              "smtp_sign_in:sign_in_refused;");
    EXPECT_EQ(mailbox->connections, 1);
    EXPECT_EQ(submission->connections, 1);
}
TEST_F(VerifyTest, sign_in_that_is_refused_for_now_is_told_as_passing) {
    submission->replies["AUTH"] = "454 4.7.0 hunter2";
    EXPECT_EQ(checks(),
              "imap_connect;imap_sign_in;imap_folders;smtp_connect;"
              "smtp_sign_in:sign_in_unavailable;");
    EXPECT_NE((*outcome)->checks.back().text.find("later"), std::string::npos);
}
TEST_F(VerifyTest, server_without_starttls_gets_no_password) {
    credentials.next.destination.imap.port = 0;
    submission->replies["EHLO"] = "250 fake";
    EXPECT_EQ(checks(), "smtp_connect:tls_failed;");
}
TEST_F(VerifyTest, imap_server_that_talks_without_end_is_given_up) {
    options.session.command_bytes_max = 1U << 20U;
    const std::string noise(1000, 'x');
    mailbox->before = [this, &noise](const std::string& command) {
        if (!command.starts_with("LIST")) return;
        for (int i = 0; i < 3000; ++i)
            servers.front()->say("* OK " + noise);
    };
    EXPECT_EQ(checks(),
              "imap_connect;imap_sign_in;imap_folders:protocol_violation;smtp_connect;"
              "smtp_sign_in;");
}
TEST_F(VerifyTest, smtp_reply_that_drips_in_is_given_up) {
    credentials.next.destination.imap.port = 0;
    options.session.stall = std::chrono::milliseconds(300);
    submission->replies["greeting"] = "220-wait";
    const auto drip = [](const std::optional<Result<VerifyMailbox::Answer>>* ended,
                         std::vector<std::shared_ptr<FakeServer>>* to) -> async::Job {
        while (!*ended) {
            const auto waited =
                co_await async::wait_until(Deadline::in(std::chrono::milliseconds(20)));
            if (!waited) co_return;
            if (!to->empty()) to->back()->say("220-wait");
        }
    };
    scenarios.spawn("drip", drip(&outcome, &servers));
    EXPECT_EQ(checks(), "smtp_connect:timed_out;");
}
TEST_F(VerifyTest, nothing_is_reported_after_the_use_ended) {
    mailbox->before = [this](const std::string& command) {
        if (command.starts_with("LIST")) service->end_uses({integration, true, {}});
    };
    EXPECT_EQ(checks(), "failed");
    EXPECT_TRUE(outcome->error().is(MailError::use_ended));
    EXPECT_EQ(submission->connections, 0);
}

struct NetRow {
    net::NetError error;
    std::string code;
};
class VerifyNetTest : public VerifyTest, public ::testing::WithParamInterface<NetRow> {};
INSTANTIATE_TEST_SUITE_P(
    All,
    VerifyNetTest,
    ::testing::Values(NetRow{net::NetError::refused_private_address, "address_refused"},
                      NetRow{net::NetError::name_not_found, "name_not_found"},
                      NetRow{net::NetError::invalid_host, "name_not_found"},
                      NetRow{net::NetError::connection_refused, "connection_failed"},
                      NetRow{net::NetError::unreachable, "connection_failed"},
                      NetRow{net::NetError::timed_out, "timed_out"},
                      NetRow{net::NetError::certificate_untrusted, "certificate_untrusted"},
                      NetRow{net::NetError::certificate_wrong_name, "certificate_wrong_name"},
                      NetRow{net::NetError::certificate_expired, "certificate_expired"},
                      NetRow{net::NetError::invalid_certificate_file, "certificate_untrusted"},
                      NetRow{net::NetError::tls_failed, "tls_failed"},
                      NetRow{net::NetError::plaintext_before_tls, "tls_failed"},
                      NetRow{net::NetError::closed_by_peer, "connection_lost"}),
    [](const auto& row) { return std::string(describe(row.param.error).code.view()); });

TEST_P(VerifyNetTest, has_its_own_code) {
    const auto broken = [error = GetParam().error]() -> Result<std::shared_ptr<FakeServer>> {
        return fail(error);
    };
    connector.hosts["imap"] = connector.hosts["smtp"] = broken;
    EXPECT_EQ(checks(),
              "imap_connect:" + GetParam().code + ";smtp_connect:" + GetParam().code + ";");
}

}  // namespace
}  // namespace postern::mail::courier::test
