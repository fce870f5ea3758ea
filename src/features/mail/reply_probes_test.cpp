#include "features/mail/reply_probes.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/played_processes_fake.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/reply_addresses.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail::test {
namespace {

using State = ReplyAddressState;

class ReplyProbesTest : public MailLab {
protected:
    ReplyProbesTest() : addresses(parts()) {
        begin();
        courier.before_dot = [this](BeforeFinalDot ask) { return probes->before_final_dot(ask); };
    }
    void begin() { probes = std::make_unique<ReplyProbes>(parts()); }
    Result<> ask() {
        ++clock.now;
        return run(probes->ask(workspace, integration));
    }
    State state() {
        const auto own = mailboxes.all.at(integration);
        return run(addresses.state(&own)).value();
    }
    std::optional<rows::ReplyProbeRow> row() {
        return read([&](store::Transaction& tx) {
            return rows::load_reply_probe(tx, workspace, integration);
        });
    }
    void arrive() {
        const auto token = row().value().token;
        write([&](store::Transaction& tx) {
            return rows::settle_reply_probe(tx, workspace, integration, token,
                                            rows::ReplyProbeState::arrived);
        });
    }

    ReplyAddresses addresses;
    std::unique_ptr<ReplyProbes> probes;
};

TEST_F(ReplyProbesTest, sends_one_plain_mail_to_an_address_of_the_mailbox_itself) {
    EXPECT_EQ(state(), State::not_tried);
    ASSERT_TRUE(ask());
    ASSERT_EQ(courier.submitted.size(), 1U);
    const auto& mail = courier.submitted[0];
    const auto own = mailboxes.all.at(integration);
    const auto address = run(addresses.address_of(&own, row().value().token)).value();
    EXPECT_EQ(mail.from, k_maya.address);
    EXPECT_EQ(mail.recipients, std::vector<std::string>{address});
    EXPECT_EQ(mail.dot_allowed, true);
    EXPECT_NE(mail.raw.find("From: \"Maya\" <maya@brand.example>\r\nTo: " + address + "\r\n"),
              std::string::npos);
    EXPECT_NE(mail.raw.find("Auto-Submitted: auto-generated\r\n"), std::string::npos);
    EXPECT_NE(mail.raw.find("Postern sent this mail because somebody"), std::string::npos);
    EXPECT_EQ(mail.raw.find("Reply-To:"), std::string::npos);
    EXPECT_EQ(mailboxes.tickets.back().second, MailVerb::send);
    EXPECT_EQ(state(), State::waiting);
    EXPECT_TRUE(outbox().empty());
}

TEST_F(ReplyProbesTest, is_looked_for_before_it_can_arrive) {
    bool was_watched = false;
    courier.dot_was_allowed = [&] {
        was_watched = courier.addresses_watched.size() == 1 &&
                      courier.addresses_watched[0] == integration && row().has_value();
    };
    ASSERT_TRUE(ask());
    EXPECT_TRUE(was_watched);
}

TEST_F(ReplyProbesTest, nothing_is_sent_while_one_is_waited_for) {
    ASSERT_TRUE(ask());
    ASSERT_TRUE(ask());
    EXPECT_EQ(courier.submitted.size(), 1U);
    clock.pass_s(24 * 3600);
    EXPECT_EQ(state(), State::did_not_arrive);
    const auto before = row().value().token;
    ASSERT_TRUE(ask());
    EXPECT_EQ(courier.submitted.size(), 2U);
    EXPECT_NE(row().value().token, before);
    EXPECT_EQ(state(), State::waiting);
}

TEST_F(ReplyProbesTest, what_arrives_can_be_tried_again) {
    ASSERT_TRUE(ask());
    arrive();
    EXPECT_EQ(state(), State::arrives);
    ASSERT_TRUE(ask());
    EXPECT_EQ(courier.submitted.size(), 2U);
    EXPECT_EQ(state(), State::waiting);
}

TEST_F(ReplyProbesTest, refused_address_did_not_arrive) {
    for (const auto stage : {SendStage::rcpt_to, SendStage::final_dot}) {
        courier.sends = {refused(550, stage)};
        ASSERT_TRUE(ask());
        EXPECT_EQ(state(), State::did_not_arrive);
    }
    EXPECT_EQ(courier.submitted.size(), 2U);
}

TEST_F(ReplyProbesTest, what_was_not_sent_changes_nothing_before_the_dot) {
    ASSERT_TRUE(ask());
    arrive();
    courier.sends = {broken(SendStage::connect, "connection_failed")};
    auto failed = ask();
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().is(MailError::connection_failed));
    EXPECT_EQ(state(), State::arrives);
    courier.sends = {refused(451, SendStage::rcpt_to, true)};
    failed = ask();
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().is(MailError::provider_refused));
    EXPECT_EQ(state(), State::arrives);
    courier.sends = {lost(SendPlay::End::lost_before_dot)};
    EXPECT_FALSE(ask());
    EXPECT_EQ(state(), State::arrives);
}

TEST_F(ReplyProbesTest, put_off_at_the_dot_was_not_sent) {
    courier.sends = {refused(451, SendStage::final_dot, true)};
    EXPECT_FALSE(ask());
    EXPECT_EQ(state(), State::not_tried);
    ASSERT_TRUE(ask());
    EXPECT_EQ(state(), State::waiting);
}

TEST_F(ReplyProbesTest, lost_after_the_dot_is_waited_for_and_never_sent_again) {
    courier.sends = {lost(SendPlay::End::lost_after_dot)};
    ASSERT_TRUE(ask());
    EXPECT_EQ(state(), State::waiting);
    courier.restart();
    begin();
    ASSERT_TRUE(ask());
    EXPECT_EQ(courier.submitted.size(), 1U);
}

TEST_F(ReplyProbesTest, dot_is_allowed_once_and_only_to_what_is_under_way) {
    EXPECT_FALSE(run(probes->before_final_dot({MessageId::make(1), 1})));
    int asked = 0;
    courier.before_dot = [&](BeforeFinalDot ask) -> async::Task<> {
        ++asked;
        EXPECT_TRUE(probes->is_sending(ask.message));
        auto other = ask;
        other.attempt = 2;
        auto wrong = co_await probes->before_final_dot(other);
        EXPECT_FALSE(wrong.has_value());
        auto first = co_await probes->before_final_dot(ask);
        EXPECT_TRUE(first.has_value());
        auto second = co_await probes->before_final_dot(ask);
        EXPECT_FALSE(second.has_value());
        co_return first;
    };
    ASSERT_TRUE(ask());
    EXPECT_EQ(asked, 1);
    EXPECT_FALSE(probes->is_sending(courier.submitted[0].message));
    EXPECT_FALSE(run(probes->before_final_dot({courier.submitted[0].message, 1})));
}

TEST_F(ReplyProbesTest, needs_an_open_mailbox_that_can_have_such_addresses) {
    mailboxes.closed.insert_or_assign(integration, Error(LabError::access_removed));
    EXPECT_FALSE(ask());
    mailboxes.closed.clear();
    for (const auto* address :
         {"maya+x@brand.example", "a.very.long.local.part.of.an.address.of.43.c@brand.example"}) {
        mailboxes.all.at(integration).address = address;
        const auto refusal = ask();
        ASSERT_FALSE(refusal);
        EXPECT_TRUE(refusal.error().is(MailServiceError::reply_address_not_possible));
    }
    EXPECT_TRUE(courier.submitted.empty());
    EXPECT_FALSE(row());
}

TEST_F(ReplyProbesTest, refused_sign_in_is_told) {
    courier.sends = {broken(SendStage::auth, "sign_in_refused")};
    EXPECT_FALSE(ask());
    ASSERT_EQ(mailboxes.reports.size(), 1U);
    EXPECT_EQ(mailboxes.reports[0].second, MailError::sign_in_refused);
}

}  // namespace
}  // namespace postern::mail::test
