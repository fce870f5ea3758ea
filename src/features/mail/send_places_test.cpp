#include "features/mail/send_places.h"

#include "features/mail/mail_store.h"
#include "foundation/base/id.h"

#include <gtest/gtest.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace postern::mail {
namespace {

class SendPlacesTest : public ::testing::Test {
protected:
    rows::OutboxRow mail(std::uint8_t mailbox) {
        rows::OutboxRow row;
        row.message = MessageId(std::array<std::uint8_t, 16>{mailbox, ++mails_});
        row.integration = IntegrationId(std::array<std::uint8_t, 16>{mailbox});
        return row;
    }
    /// How many mails of fresh mailboxes get a place at this host.
    std::size_t fill(const std::string& host, std::size_t tries) {
        std::size_t taken = 0;
        for (std::size_t i = 0; i < tries; ++i)
            taken += places.take(mail(++mailboxes_), host) ? 1 : 0;
        return taken;
    }

    SendPlaces places;

private:
    std::uint8_t mails_ = 0;
    std::uint8_t mailboxes_ = 100;
};

TEST_F(SendPlacesTest, a_mailbox_has_two) {
    const auto first = mail(1);
    EXPECT_TRUE(places.are_free());
    EXPECT_TRUE(places.take(first, "a"));
    EXPECT_TRUE(places.take(mail(1), "a"));
    EXPECT_FALSE(places.take(mail(1), "a"));
    EXPECT_FALSE(places.may_have_one(mail(1)));
    EXPECT_TRUE(places.may_have_one(mail(2)));
    places.give_back(first);
    EXPECT_TRUE(places.take(mail(1), "a"));
}

TEST_F(SendPlacesTest, a_mail_has_one) {
    const auto one = mail(1);
    EXPECT_TRUE(places.take(one, "a"));
    EXPECT_FALSE(places.take(one, "a"));
    places.give_back(one);
    EXPECT_TRUE(places.are_free());
    places.give_back(one);
    EXPECT_TRUE(places.take(one, "a"));
}

TEST_F(SendPlacesTest, a_host_has_half_of_them) {
    const auto first = mail(1);
    EXPECT_TRUE(places.take(first, "a"));
    EXPECT_EQ(fill("a", 40), k_send_places_of_host - 1);
    EXPECT_FALSE(places.are_taken());
    places.give_back(first);
    EXPECT_EQ(fill("a", 40), 1U);
    EXPECT_EQ(fill("b", 40), k_send_places_of_host);
    EXPECT_TRUE(places.are_taken());
    EXPECT_EQ(fill("c", 1), 0U);
}

TEST_F(SendPlacesTest, a_host_that_is_not_known_is_bounded_by_all) {
    EXPECT_EQ(fill("", 40), k_send_places);
    EXPECT_TRUE(places.are_taken());
}

}  // namespace
}  // namespace postern::mail
