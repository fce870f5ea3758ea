#include "edge/api/refusal_log.h"

#include "features/identity/actor.h"
#include "features/identity/identity_error.h"
#include "features/identity/policy.h"
#include "foundation/base/id.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <functional>
#include <string>

namespace postern::api {
namespace {

using identity::Actor;
using identity::IdentityError;
using identity::Permission;

std::string logged(const std::function<void()>& work) {
    testing::internal::CaptureStderr();
    work();
    return testing::internal::GetCapturedStderr();
}
std::int64_t lines(const std::string& text) {
    return std::ranges::count(text, '\n');
}

class RefusalLogTest : public ::testing::Test {
protected:
    RefusalLogTest() {
        person.person = PersonId::make(1'000);
        person.workspace = WorkspaceId::make(2'000);
        token.token = TokenId::make(3'000);
        token.workspace = person.workspace;
    }
    void refuse(const Actor& actor) {
        log.note(actor, Permission::write_mail, "POST", "/v1/threads/{id}/messages",
                 Error(IdentityError::forbidden, "private detail"), now);
    }

    RefusalLog log;
    UnixMs now = 1'764'300'000'000;
    Actor person;
    Actor token;
};

TEST_F(RefusalLogTest, line_says_who_what_and_why_by_ids_and_codes) {
    const auto text = logged([&] { refuse(person); });
    EXPECT_EQ(lines(text), 1);
    EXPECT_NE(text.find("act_refused actor=" + person.person->text() +
                        " workspace=" + person.workspace.text() +
                        " permission=write_mail method=POST route=/v1/threads/{id}/messages "
                        "error=forbidden\n"),
              std::string::npos)
        << text;
    EXPECT_NE(logged([&] { refuse(token); }).find("actor=" + token.token->text()),
              std::string::npos);
}

TEST_F(RefusalLogTest, each_has_some_lines_a_minute_and_the_others_are_counted) {
    const auto first = logged([&] {
        for (int i = 0; i < 100; ++i)
            refuse(person);
    });
    EXPECT_EQ(lines(first), RefusalLog::k_lines_max);
    EXPECT_EQ(lines(logged([&] { refuse(token); })), 1) << "somebody else has their own";
    now += RefusalLog::k_minute_ms - 1;
    EXPECT_EQ(logged([&] { log.settle(now); }), "");
    now += 1'000;
    const auto told = logged([&] { log.settle(now); });
    EXPECT_EQ(lines(told), 1);
    EXPECT_NE(told.find("acts_refused actor=" + person.person->text() + " more=95\n"),
              std::string::npos)
        << told;
    EXPECT_EQ(logged([&] { log.settle(now + 600'000); }), "") << "once";
    now += 600'000;
    EXPECT_EQ(lines(logged([&] { refuse(person); })), 1) << "a new minute";
}

TEST_F(RefusalLogTest, many_at_once_are_counted_together) {
    const auto text = logged([&] {
        for (std::size_t i = 0; i < RefusalLog::k_actors_max + 10; ++i) {
            token.token = TokenId::make(static_cast<UnixMs>(10'000 + i));
            refuse(token);
        }
    });
    EXPECT_EQ(lines(text), static_cast<std::int64_t>(RefusalLog::k_actors_max));
    now += RefusalLog::k_minute_ms;
    const auto told = logged([&] { log.settle(now); });
    EXPECT_NE(told.find("acts_refused actor=others more=10\n"), std::string::npos) << told;
}

TEST_F(RefusalLogTest, clock_that_was_set_back_ends_the_minute) {
    for (int i = 0; i < 6; ++i)
        logged([&] { refuse(person); });
    now -= 86'400'000;
    EXPECT_NE(logged([&] { log.settle(now); }).find("more=1"), std::string::npos);
    EXPECT_EQ(lines(logged([&] { refuse(person); })), 1);
}

}  // namespace
}  // namespace postern::api
