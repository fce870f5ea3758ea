#include "features/identity/actor.h"
#include "features/identity/client.h"
#include "features/identity/identity.h"
#include "features/identity/identity_error.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::identity::test {
namespace {

using store::fails_with;
using Mine = Authorized<Permission::see_own_sign_in>;

class SessionsTest : public IdentityLab {
protected:
    SessionsTest() { (void)owner(); }

    std::string session() {
        // They are listed by age.
        ++clock.now;
        return text_of(sign_in().value().text);
    }
    Result<Actor> actor(const std::string& text) {
        return run(identity->authenticate_session(text, std::nullopt));
    }
    Mine mine(const std::string& text) { return Mine::check(actor(text).value()).value(); }
    std::vector<Session> listed(const std::string& text) {
        return run(identity->sessions(mine(text))).value();
    }
    bool is_good(const std::string& text) { return actor(text).has_value(); }
};

TEST_F(SessionsTest, are_listed_with_what_a_person_knows_them_by) {
    const auto first = session();
    const auto second = session();
    const auto all = listed(first);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_FALSE(all[0].is_current);
    EXPECT_TRUE(all[1].is_current);
    for (const auto& one : all) {
        EXPECT_EQ(one.client.address, "192.0.2.7");
        EXPECT_EQ(one.client.device, "Firefox on a Mac");
        EXPECT_EQ(one.expires_at_ms, one.created_at_ms + k_session_s * 1000);
    }
    EXPECT_TRUE(listed(second)[0].is_current);
}

TEST_F(SessionsTest, one_is_ended) {
    const auto first = session();
    const auto second = session();
    const auto endings = identity->endings();
    const auto id = listed(first)[0].id;
    EXPECT_TRUE(run(identity->end_session(mine(first), id)));
    EXPECT_GT(identity->endings(), endings);
    EXPECT_FALSE(is_good(second));
    EXPECT_TRUE(is_good(first));
    EXPECT_TRUE(
        fails_with(run(identity->end_session(mine(first), id)), IdentityError::session_not_found));
    EXPECT_TRUE(fails_with(run(identity->end_session(mine(first), SessionId::make(5))),
                           IdentityError::session_not_found));
}

TEST_F(SessionsTest, all_others_are_ended) {
    const auto first = session();
    const auto second = session();
    const auto third = session();
    EXPECT_TRUE(run(identity->end_other_sessions(mine(second))));
    EXPECT_TRUE(is_good(second));
    EXPECT_FALSE(is_good(first) || is_good(third));
    EXPECT_EQ(listed(second).size(), 1U);
}

TEST_F(SessionsTest, one_more_than_there_may_be_ends_the_oldest) {
    const auto first = session();
    const auto second = session();
    for (std::int64_t i = 2; i < k_sessions_max; ++i)
        (void)session();
    EXPECT_TRUE(is_good(first));
    const auto last = session();
    EXPECT_FALSE(is_good(first));
    EXPECT_TRUE(is_good(second));
    EXPECT_EQ(listed(last).size(), static_cast<std::size_t>(k_sessions_max));
}

TEST_F(SessionsTest, idle_one_ends) {
    const auto idle = session();
    const auto busy = session();
    for (int i = 0; i < 3; ++i) {
        clock.now += k_session_idle_s * 1000 - 60'000;
        EXPECT_TRUE(is_good(busy));
    }
    EXPECT_FALSE(is_good(idle));
    EXPECT_EQ(listed(busy).size(), 1U);
    restart();
    clock.now += k_session_idle_s * 1000 - 1;
    EXPECT_TRUE(is_good(busy));
    clock.now += k_session_idle_s * 1000;
    EXPECT_FALSE(is_good(busy));
}

TEST_F(SessionsTest, busy_one_ends_at_its_end) {
    const auto busy = session();
    const auto ends = clock.now + k_session_s * 1000;
    while (clock.now + 3'600'000 < ends) {
        clock.now += 3'600'000;
        ASSERT_TRUE(is_good(busy));
    }
    clock.now = ends - 1;
    EXPECT_TRUE(is_good(busy));
    clock.now = ends;
    EXPECT_FALSE(is_good(busy));
}

TEST_F(SessionsTest, stream_does_not_keep_a_session_alive) {
    const auto text = session();
    const auto who = actor(text).value();
    for (int i = 0; i < 2; ++i) {
        clock.now += k_session_idle_s * 500;
        (void)run(identity->check_again(who));
    }
    EXPECT_TRUE(fails_with(run(identity->check_again(who)), IdentityError::unauthenticated));
    EXPECT_FALSE(is_good(text));
}

TEST_F(SessionsTest, tokens_have_none) {
    const auto token = create_token("Brand").value();
    const auto who = run(identity->authenticate_token(text_of(token.text))).value();
    EXPECT_TRUE(fails_with(Mine::check(who), IdentityError::person_needed));
}

TEST(Device, is_cut_and_printable) {
    EXPECT_EQ(device_of("Mozilla/5.0 (X11)"), "Mozilla/5.0 (X11)");
    EXPECT_EQ(device_of("a\r\nb\x1b[31m\x7f\xc3\xa4"), "a??b?[31m???");
    EXPECT_EQ(device_of(std::string(5000, 'x')).size(), k_device_bytes_max);
    EXPECT_EQ(device_of(""), "");
}

}  // namespace
}  // namespace postern::identity::test
