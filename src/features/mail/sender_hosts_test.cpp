#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/played_processes_fake.h"
#include "features/mail/sender_lab_fake.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace postern::mail::test {
namespace {

/// Many mailboxes of one host.
class SenderHostsTest : public SenderLab {
protected:
    IntegrationId add(std::uint16_t number, const std::string& host) {
        const IntegrationId mailbox{
            std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 9, static_cast<std::uint8_t>(number >> 8U),
                                         static_cast<std::uint8_t>(number)}};
        add_mailbox(mailbox, workspace);
        mailboxes.all.at(mailbox).smtp_host = host;
        return mailbox;
    }
    MessageId queue_mail_of(IntegrationId mailbox) {
        return queue_mail(add_thread({k_lea}, mailbox));
    }
    std::ptrdiff_t submitted(MessageId id) {
        return std::ranges::count(courier.submitted, id, &PlayedCourier::Submitted::message);
    }
};

TEST_F(SenderHostsTest, one_that_hangs_leaves_half_of_the_places_to_others) {
    for (std::uint16_t i = 0; i < 20; ++i) {
        const auto mailbox = add(i, "hangs.example");
        queue_mail_of(mailbox);
        queue_mail_of(mailbox);
    }
    hold(16);
    begin();
    EXPECT_EQ(courier.submitted.size(), 16U);
    for (std::uint16_t i = 100; i < 104; ++i) {
        const auto id = queue_mail_of(add(i, "works.example"));
        sender->wake();
        settle();
        EXPECT_EQ(submitted(id), 1);
        EXPECT_EQ(message(id).state, MessageState::sent);
    }
    EXPECT_EQ(courier.submitted.size(), 20U) << "and no more of the one that hangs";
    courier.release();
    settle();
    EXPECT_EQ(courier.submitted.size(), 44U);
    EXPECT_TRUE(outbox().empty());
}

TEST_F(SenderHostsTest, more_that_waits_for_it_than_a_page_holds_hides_nobody_elses) {
    for (std::uint16_t i = 0; i < 16; ++i)
        queue_mail_of(add(i, "hangs.example"));
    write([&](store::Transaction& tx) -> Result<> {
        for (std::uint16_t i = 100; i < 1300; ++i) {
            const auto waits = add(i, "hangs.example");
            const auto id = MessageId::make(++clock.now);
            const auto added = rows::insert_outbox(tx, workspace, id, waits, clock.now);
            if (!added) return added;
        }
        return {};
    });
    const auto id = queue_mail_of(add(2000, "works.example"));
    hold(17);
    begin();
    EXPECT_EQ(courier.submitted.size(), 17U);
    EXPECT_EQ(submitted(id), 1);
}

TEST_F(SenderHostsTest, a_mailbox_that_moved_is_counted_where_it_is_now) {
    for (std::uint16_t i = 0; i < 16; ++i)
        queue_mail_of(add(i, "hangs.example"));
    const auto mailbox = add(100, "hangs.example");
    hold(17);
    begin();
    const auto id = queue_mail_of(mailbox);
    sender->wake();
    settle();
    EXPECT_EQ(submitted(id), 0);
    mailboxes.all.at(mailbox).smtp_host = "works.example";
    ASSERT_TRUE(run(sender->wake_mailbox(workspace, mailbox)));
    settle();
    EXPECT_EQ(submitted(id), 1);
}

TEST_F(SenderHostsTest, one_that_cannot_be_told_is_no_reason_to_wait) {
    const auto id = queue_mail_of(add(1, "works.example"));
    const auto base = steps.taken;
    steps.fails = [base](int step) { return step == base + 1; };
    begin();
    EXPECT_EQ(message(id).state, MessageState::sent);
}

}  // namespace
}  // namespace postern::mail::test
