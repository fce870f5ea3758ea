#include "features/mail/probes.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/error.h"
#include "foundation/codec/mail/our_message_id.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace postern::mail::test {
namespace {

using Why = Probes::Why;

class ProbesTest : public MailLab {
protected:
    ProbesTest() : probes(std::make_unique<Probes>(parts())) {}
    void send_one() {
        const auto id = queue_mail(thread);
        write([&](store::Transaction& tx) {
            return rows::set_message_state(tx, workspace, id, MessageState::sent, "");
        });
    }
    bool probed(Why why) {
        const auto done = run(probes->probe_if_due(workspace, integration, why));
        EXPECT_TRUE(done.has_value());
        return done && *done;
    }
    rows::ProbeRow row() {
        return read(
            [&](store::Transaction& tx) { return rows::load_probe(tx, workspace, integration); });
    }

    Thread thread = add_thread({k_lea});
    std::unique_ptr<Probes> probes;
};

TEST_F(ProbesTest, waits_for_the_first_sent_mail_and_asks_for_its_thread) {
    EXPECT_FALSE(probed(Why::time));
    queue_mail(thread);
    EXPECT_FALSE(probed(Why::time));
    EXPECT_TRUE(courier.probed.empty());
    send_one();
    EXPECT_TRUE(probed(Why::sent));
    ASSERT_EQ(courier.probed.size(), 1U);
    const auto& asked = courier.probed[0];
    EXPECT_EQ(asked.search_label, k_label);
    EXPECT_TRUE(codec::IdLabel::parse(asked.other_label));
    EXPECT_NE(asked.other_label, asked.search_label);
    EXPECT_EQ(asked.root_id, our_id(thread));
    EXPECT_FALSE(row().looks_by_headers);
    EXPECT_TRUE(courier.set.empty());
    EXPECT_EQ(ledger(), std::vector<std::string>{"probe search_works"});
}

TEST_F(ProbesTest, is_due_weekly_and_an_hour_after_a_refused_search) {
    send_one();
    EXPECT_TRUE(probed(Why::sent));
    EXPECT_FALSE(probed(Why::sent));
    EXPECT_FALSE(probed(Why::search_refused));
    clock.pass_s(3600);
    EXPECT_FALSE(probed(Why::time));
    EXPECT_TRUE(probed(Why::search_refused));
    clock.pass_s(7 * 24 * 3600 - 1);
    EXPECT_FALSE(probed(Why::time));
    clock.pass_s(1);
    EXPECT_TRUE(probed(Why::time));
}

TEST_F(ProbesTest, failure_is_told_to_the_watch_until_it_passes_again) {
    send_one();
    courier.search_probe = SearchProbe::fails;
    EXPECT_TRUE(probed(Why::sent));
    EXPECT_TRUE(row().looks_by_headers);
    ASSERT_EQ(courier.set.size(), 1U);
    EXPECT_TRUE(courier.set[0].by_headers);
    EXPECT_FALSE(probed(Why::time));
    EXPECT_TRUE(probed(Why::sent));
    EXPECT_EQ(courier.set.size(), 1U);
    courier.search_probe = SearchProbe::nothing_to_search;
    EXPECT_TRUE(probed(Why::sent));
    EXPECT_TRUE(row().looks_by_headers);
    clock.pass_s(24 * 3600);
    courier.search_probe = SearchProbe::works;
    EXPECT_TRUE(probed(Why::time));
    EXPECT_FALSE(row().looks_by_headers);
    ASSERT_EQ(courier.set.size(), 2U);
    EXPECT_FALSE(courier.set[1].by_headers);
    EXPECT_EQ(ledger().back(), "probe search_works");
}

TEST_F(ProbesTest, has_the_servers_name_learnt_anew_and_trusts_the_old_one_meanwhile) {
    send_one();
    write([&](store::Transaction& tx) {
        return rows::put_authserv(tx, workspace, integration, "mx.example");
    });
    EXPECT_FALSE(row().authserv_is_open);
    EXPECT_TRUE(probed(Why::sent));
    EXPECT_TRUE(row().authserv_is_open);
    EXPECT_EQ(row().authserv_id, "mx.example");
}

TEST_F(ProbesTest, failed_visit_changes_nothing) {
    send_one();
    courier.probes_fail = {MailError::connection_lost};
    EXPECT_FALSE(run(probes->probe_if_due(workspace, integration, Why::sent)));
    EXPECT_EQ(row().probed_at_ms, 0);
    mailboxes.closed.insert_or_assign(integration, Error(LabError::ceiling_reached));
    EXPECT_FALSE(run(probes->probe_if_due(workspace, integration, Why::sent)));
    EXPECT_EQ(courier.probed.size(), 1U);
}

TEST_F(ProbesTest, mailbox_that_only_sends_is_not_probed) {
    send_one();
    mailboxes.all.at(integration).reads_replies = false;
    EXPECT_FALSE(probed(Why::sent));
}

}  // namespace
}  // namespace postern::mail::test
