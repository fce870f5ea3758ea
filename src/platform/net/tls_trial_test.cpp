#include "platform/net/tls_trial.h"

#include "platform/net/test_loop.h"

#include <gtest/gtest.h>

namespace postern::net {
namespace {

constexpr TlsOffer k_refused[] = {TlsOffer::in_clear, TlsOffer::tls_1_1, TlsOffer::other_authority,
                                  TlsOffer::other_name, TlsOffer::expired};
constexpr TlsClient k_clients[] = {TlsClient::pinned, TlsClient::ordinary};

class TlsTrialTest : public testing::Test {
protected:
    bool accepts(TriedClient client, TlsOffer offer) {
        const auto accepted = loop_.run(trial_.accepts(client, offer));
        EXPECT_TRUE(accepted) << name_of(offer);
        return accepted && *accepted;
    }
    bool listener_accepts(TriedListener listener, bool old_client) {
        const auto accepted = loop_.run(trial_.listener_accepts(listener, old_client));
        EXPECT_TRUE(accepted);
        return accepted && *accepted;
    }

private:
    test::Loop loop_;
    TlsTrial trial_;
};

TEST_F(TlsTrialTest, our_client_speaks_with_a_trusted_server_of_today_alone) {
    for (const auto client : k_clients) {
        EXPECT_TRUE(accepts({client, {}}, TlsOffer::tls_1_3)) << name_of(client);
        EXPECT_TRUE(accepts({client, {}}, TlsOffer::tls_1_2)) << name_of(client);
        for (const auto offer : k_refused)
            EXPECT_FALSE(accepts({client, {}}, offer)) << name_of(offer);
    }
}

TEST_F(TlsTrialTest, a_client_that_overlooks_one_thing_takes_that_and_no_other) {
    for (const auto client : k_clients) {
        for (const auto overlooked : k_refused) {
            for (const auto offer : k_refused) {
                EXPECT_EQ(accepts({client, overlooked}, offer), offer == overlooked)
                    << name_of(client) << ": " << name_of(offer) << ", by " << name_of(overlooked);
            }
        }
    }
}

TEST_F(TlsTrialTest, a_client_in_clear_is_not_taken_for_one_under_tls) {
    for (const auto client : k_clients) {
        EXPECT_FALSE(accepts({client, TlsOffer::in_clear}, TlsOffer::tls_1_3));
        EXPECT_TRUE(accepts({client, TlsOffer::expired}, TlsOffer::tls_1_3));
    }
}

TEST_F(TlsTrialTest, our_listener_refuses_an_old_client) {
    EXPECT_TRUE(listener_accepts({}, false));
    EXPECT_FALSE(listener_accepts({}, true));
    EXPECT_TRUE(listener_accepts({.takes_old_clients = true}, true));
    EXPECT_TRUE(listener_accepts({.takes_old_clients = true}, false));
}

}  // namespace
}  // namespace postern::net
