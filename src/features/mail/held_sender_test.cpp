#include "features/mail/held_sender.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "platform/keys/records.h"

#include <gtest/gtest.h>
#include <utility>

namespace postern::mail {
namespace {

HeldSenderV1 old_one() {
    HeldSenderV1 old;
    old.uid = 7;
    old.message_id = "m@x.example";
    old.our_ids = {"ptn1.a.1.b@c.ptn.brand.example"};
    old.from = {{"Eve", "eve@x.example"}};
    old.recipients = {{"", "maya@brand.example"}};
    old.folder = "Junk";
    return old;
}

TEST(HeldSender, of_the_first_version_is_read) {
    const auto now = decode_held_sender(keys::encode_record(old_one()));
    ASSERT_TRUE(now);
    EXPECT_EQ(now->folder, "Junk");
    EXPECT_EQ(now->candidate.uid, 7U);
    EXPECT_EQ(now->candidate.message_id, "m@x.example");
    EXPECT_EQ(now->candidate.our_ids.at(0), "ptn1.a.1.b@c.ptn.brand.example");
    EXPECT_EQ(now->candidate.from.at(0).address, "eve@x.example");
    EXPECT_EQ(now->candidate.recipients.at(0).address, "maya@brand.example");
    EXPECT_EQ(now->candidate.author_kind, AuthorKind::person);
    auto automatic = old_one();
    automatic.auto_submitted = "auto-replied";
    EXPECT_EQ(decode_held_sender(keys::encode_record(automatic))->candidate.author_kind,
              AuthorKind::auto_reply);
    automatic.is_list = true;
    EXPECT_EQ(decode_held_sender(keys::encode_record(automatic))->candidate.author_kind,
              AuthorKind::machine);
}

TEST(HeldSender, of_the_second_version_is_read) {
    HeldSenderV2 old;
    old.uid = 7;
    old.message_id = "m@x.example";
    old.from = {{"Eve", "eve@x.example"}};
    old.author_kind = AuthorKind::auto_reply;
    old.results = {{"mx.example", true}};
    old.folder = "Junk";
    const auto now = decode_held_sender(keys::encode_record(old));
    ASSERT_TRUE(now);
    EXPECT_EQ(now->folder, "Junk");
    EXPECT_EQ(now->candidate.uid, 7U);
    EXPECT_EQ(now->candidate.message_id, "m@x.example");
    EXPECT_EQ(now->candidate.from.at(0).address, "eve@x.example");
    EXPECT_EQ(now->candidate.author_kind, AuthorKind::auto_reply);
}

TEST(HeldSender, of_the_third_version_is_read) {
    HeldSenderV3 old;
    old.uid = 7;
    old.message_id = "m@x.example";
    old.our_ids = {"ours@x.example"};
    old.from = {{"Eve", "eve@x.example"}};
    old.recipients = {{"Maya", "maya@brand.example"}};
    old.author_kind = AuthorKind::auto_reply;
    old.folder = "Junk";
    const auto now = decode_held_sender(keys::encode_record(old));
    ASSERT_TRUE(now);
    EXPECT_EQ(now->folder, "Junk");
    EXPECT_EQ(now->candidate.uid, 7U);
    EXPECT_EQ(now->candidate.our_ids.at(0), "ours@x.example");
    EXPECT_EQ(now->candidate.recipients.at(0).address, "maya@brand.example");
    EXPECT_EQ(now->candidate.author_kind, AuthorKind::auto_reply);
    EXPECT_TRUE(now->candidate.hinted_thread.empty());
}

TEST(HeldSender, of_this_version_comes_back_whole) {
    HeldSender sender;
    sender.folder = "INBOX";
    sender.candidate.uid = 9;
    sender.candidate.author_kind = AuthorKind::machine;
    sender.candidate.hinted_thread = Bytes(16, 3);
    sender.candidate.from = {{"Eve", "eve@x.example"}};
    const auto back = decode_held_sender(keys::encode_record(sender));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->folder, "INBOX");
    EXPECT_EQ(back->candidate.author_kind, AuthorKind::machine);
    EXPECT_EQ(back->candidate.hinted_thread, Bytes(16, 3));
    EXPECT_EQ(back->candidate.from.at(0).address, "eve@x.example");
}

TEST(HeldSender, of_another_version_or_damaged_is_refused) {
    auto bytes = keys::encode_record(old_one());
    EXPECT_FALSE(decode_held_sender({}));
    EXPECT_FALSE(decode_held_sender(ByteView(bytes).first(bytes.size() - 1)));
    bytes.push_back(0);
    EXPECT_FALSE(decode_held_sender(bytes));
    HeldSender hinted;
    hinted.candidate.hinted_thread = Bytes(16, 0xff);
    bytes = keys::encode_record(std::move(hinted));
    bytes[0] = 5;
    EXPECT_FALSE(decode_held_sender(bytes));
    bytes[0] = 1;
    EXPECT_FALSE(decode_held_sender(bytes));
}

}  // namespace
}  // namespace postern::mail
