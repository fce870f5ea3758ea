#include "platform/net/tls_trial.h"

#include <gtest/gtest.h>

namespace postern::net {
namespace {

class TlsTrialTest : public testing::Test {
protected:
    bool accepts(TlsClient client, TlsOffer offer) const {
        const auto accepted = trial_.accepts(client, offer);
        EXPECT_TRUE(accepted) << name_of(offer);
        return accepted && *accepted;
    }
    bool listener_accepts(bool old_client) const {
        const auto accepted = trial_.listener_accepts(old_client);
        EXPECT_TRUE(accepted);
        return accepted && *accepted;
    }

private:
    TlsTrial trial_;
};

TEST_F(TlsTrialTest, our_client_speaks_with_a_trusted_server_of_today) {
    for (const auto client : {TlsClient::pinned, TlsClient::ordinary}) {
        EXPECT_TRUE(accepts(client, TlsOffer::tls_1_3)) << name_of(client);
        EXPECT_TRUE(accepts(client, TlsOffer::tls_1_2)) << name_of(client);
    }
}

TEST_F(TlsTrialTest, our_client_refuses_what_a_careless_one_takes) {
    for (const auto offer :
         {TlsOffer::tls_1_1, TlsOffer::other_authority, TlsOffer::other_name, TlsOffer::expired}) {
        EXPECT_TRUE(accepts(TlsClient::careless, offer)) << name_of(offer);
        EXPECT_FALSE(accepts(TlsClient::pinned, offer)) << name_of(offer);
        EXPECT_FALSE(accepts(TlsClient::ordinary, offer)) << name_of(offer);
    }
}

TEST_F(TlsTrialTest, our_listener_refuses_an_old_client) {
    EXPECT_TRUE(listener_accepts(false));
    EXPECT_FALSE(listener_accepts(true));
}

}  // namespace
}  // namespace postern::net
