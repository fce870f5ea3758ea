#include "features/mail/learned_ids.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/replies_lab_fake.h"
#include "foundation/base/id.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace postern::mail::test {
namespace {

const std::string k_given = "AM0PR07MB1234@eurprd07.prod.outlook.com";

class LearnedIdsTest : public RepliesLab {
protected:
    LearnedIdsTest() : learned(parts()), box(run(mailboxes.find(workspace, integration)).value()) {}
    std::vector<std::string> all() { return run(learned.all(workspace, integration)).value(); }

    MessageId mail = queue_mail(thread);
    LearnedIds learned;
    Mailbox box;
};

TEST_F(LearnedIdsTest, are_sealed_told_to_the_watch_and_found_again) {
    ASSERT_TRUE(run(learned.learn(&box, mail, k_given)));
    ASSERT_TRUE(run(learned.learn(&box, mail, k_given)));
    EXPECT_EQ(all(), std::vector<std::string>{k_given});
    ASSERT_FALSE(courier.set.empty());
    EXPECT_EQ(courier.set[0].learned_ids, std::vector<std::string>{k_given});
    EXPECT_FALSE(courier.set[0].by_headers);
    const auto found = run(learned.find(&box, k_given));
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->id, mail);
    EXPECT_FALSE(run(learned.find(&box, "x" + k_given)).value());
    auto other = box;
    other.id = other_integration;
    EXPECT_FALSE(run(learned.find(&other, k_given)).value());
    EXPECT_TRUE(run(learned.all(workspace, other_integration)).value().empty());
}

TEST_F(LearnedIdsTest, nothing_is_learnt_from_our_own_id_or_none) {
    ASSERT_TRUE(run(learned.learn(&box, mail, our_id(thread))));
    ASSERT_TRUE(run(learned.learn(&box, mail, "")));
    EXPECT_TRUE(all().empty());
    EXPECT_TRUE(courier.set.empty());
    EXPECT_FALSE(run(learned.learn(&box, MessageId::make(99), k_given)));
}

TEST_F(LearnedIdsTest, reply_that_names_only_the_learnt_id_belongs_to_its_thread) {
    ASSERT_TRUE(run(learned.learn(&box, mail, k_given)));
    courier.mails[{"INBOX", 100}] = "Re: Hello\nGladly";
    auto candidate = reply(100);
    candidate.our_ids = {"x" + k_given, k_given};
    ASSERT_TRUE(take({candidate}));
    EXPECT_EQ(messages(thread).size(), 2U);
    candidate.uid = 101;
    candidate.message_id = "other@creators.example";
    candidate.our_ids = {"x" + k_given};
    ASSERT_TRUE(take({candidate}));
    EXPECT_EQ(messages(thread).size(), 2U);
    candidate.our_ids = {k_given};
    candidate.from = {{"", "eve@evil.example"}};
    ASSERT_TRUE(take({candidate}));
    EXPECT_EQ(messages(thread).size(), 2U);
    EXPECT_EQ(held().size(), 1U);
}

}  // namespace
}  // namespace postern::mail::test
