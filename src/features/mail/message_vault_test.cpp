#include "features/mail/message_vault.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/crypto_error.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {
namespace {

using store::fails_with;

StoredObject stored(const SealedObject& sealed, const std::vector<CreatorId>& people) {
    StoredObject out;
    out.content = to_bytes(sealed.content.view());
    for (std::size_t i = 0; i < people.size() && i < sealed.wraps.size(); ++i)
        out.wraps.emplace_back(people[i], to_bytes(sealed.wraps[i].view()));
    return out;
}

class MessageVaultTest : public MailLab {
protected:
    ThreadId thread = ThreadId::make(1);
    MessageId id = MessageId::make(1);
    std::vector<CreatorId> both = ensure(workspace, {k_lea, k_bo});
    MessageVault vault{keeper.link};

    void erase(CreatorId person) { keeper.people.erase({workspace, person}); }
    SealedObject head(ThreadId of, const std::string& subject) {
        ThreadHead sealed{subject, {k_lea}};
        return run(vault.seal_head(workspace, of, sealed, both)).value();
    }
    Result<std::optional<ThreadHead>> open_head(ThreadId of,
                                                StoredObject object,
                                                std::optional<WorkspaceId> owner = std::nullopt) {
        std::vector<std::pair<ThreadId, StoredObject>> objects;
        objects.emplace_back(of, std::move(object));
        auto opened = run(vault.open_heads(owner.value_or(workspace), std::move(objects), 5));
        if (!opened) return fail(std::move(opened.error()));
        return opened->at(0);
    }
    Result<Bytes> open_raw(MessageId of, const SealedObject& sealed, std::vector<CreatorId> all) {
        return run(vault.open_raw(workspace, of, to_bytes(sealed.content.view()),
                                  to_bytes(sealed.wraps.at(0).view()), std::move(all), 5));
    }
};

TEST_F(MessageVaultTest, body_comes_back_whole) {
    MessageBody body;
    body.subject = "Grüße";
    body.from = {k_lea};
    body.to = {k_maya, k_bo};
    body.date_ms = 7;
    body.text = std::string(100'000, 'x');
    body.html = "<b>x</b>";
    body.message_id = "a@b";
    body.references = {"c@d", "e@f"};
    body.defects = {"too_large"};
    AttachmentInfo attachment;
    attachment.name = "offer.pdf";
    attachment.bytes = 5;
    body.attachments = {attachment};
    const auto sealed = run(vault.seal_body(workspace, id, body, both)).value();
    ASSERT_EQ(sealed.wraps.size(), 2U);
    std::vector<std::pair<MessageId, StoredObject>> objects;
    objects.emplace_back(id, stored(sealed, both));
    const auto opened = run(vault.open_bodies(workspace, objects, 5)).value();
    ASSERT_TRUE(opened.at(0).has_value());
    const auto& got = *opened[0];
    EXPECT_EQ(got.subject, body.subject);
    EXPECT_EQ(got.from[0].address, k_lea.address);
    EXPECT_EQ(got.to.size(), 2U);
    EXPECT_EQ(got.date_ms, 7);
    EXPECT_EQ(got.text, body.text);
    EXPECT_EQ(got.html, body.html);
    EXPECT_EQ(got.references, body.references);
    EXPECT_EQ(got.defects, body.defects);
    EXPECT_EQ(got.attachments[0].name, "offer.pdf");
    EXPECT_EQ(keeper.handles, std::vector<std::uint64_t>{5});
}

TEST_F(MessageVaultTest, nothing_of_what_is_sealed_can_be_read) {
    const auto sealed = head(thread, "canary");
    EXPECT_EQ(as_text(sealed.content.view()).find("canary"), std::string::npos);
    const auto raw = run(vault.seal_raw(workspace, id, to_bytes("canary"), both)).value();
    EXPECT_EQ(as_text(raw.content.view()).find("canary"), std::string::npos);
}

TEST_F(MessageVaultTest, each_object_has_a_key_of_its_own) {
    const auto first = head(thread, "same");
    const auto second = head(thread, "same");
    EXPECT_EQ(keeper.keys_made, 2);
    EXPECT_NE(first.content, second.content);
    EXPECT_NE(first.wraps[0], second.wraps[0]);
}

TEST_F(MessageVaultTest, head_opens_for_each_of_its_people_alone) {
    const auto object = stored(head(thread, "Hello"), both);
    erase(both[0]);
    EXPECT_EQ(open_head(thread, object)->value().subject, "Hello");
    erase(both[1]);
    EXPECT_FALSE(open_head(thread, object)->has_value());
}

TEST_F(MessageVaultTest, object_without_wraps_is_erased_and_keeper_is_not_asked) {
    auto object = stored(head(thread, "Hello"), both);
    object.wraps.clear();
    EXPECT_FALSE(open_head(thread, object)->has_value());
    EXPECT_TRUE(keeper.handles.empty());
}

TEST_F(MessageVaultTest, moved_object_does_not_open) {
    const auto object = stored(head(thread, "Hello"), both);
    EXPECT_FALSE(open_head(ThreadId::make(2), object)->has_value());
    keeper.people.insert({other_workspace, both[0]});
    EXPECT_FALSE(open_head(thread, object, other_workspace)->has_value());
    auto swapped = object;
    swapped.wraps = {{both[0], object.wraps[1].second}, {both[1], object.wraps[0].second}};
    EXPECT_FALSE(open_head(thread, swapped)->has_value());
}

TEST_F(MessageVaultTest, changed_object_is_an_error) {
    const auto object = stored(head(thread, "Hello"), both);
    auto changed = object;
    changed.content.back() ^= 1;
    EXPECT_TRUE(fails_with(open_head(thread, changed), crypto::CryptoError::cannot_open));
    auto other_key = stored(head(thread, "Other"), both);
    other_key.content = object.content;
    EXPECT_TRUE(fails_with(open_head(thread, other_key), crypto::CryptoError::cannot_open));
}

TEST_F(MessageVaultTest, many_come_in_the_order_given_and_from_one_call) {
    std::vector<std::pair<ThreadId, StoredObject>> objects;
    for (int i = 0; i < 5; ++i) {
        const auto of = ThreadId::make(100 + i);
        auto object = stored(head(of, std::to_string(i)), both);
        if (i == 2) object.wraps.clear();
        objects.emplace_back(of, std::move(object));
    }
    const auto opened = run(vault.open_heads(workspace, objects, 5)).value();
    ASSERT_EQ(opened.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        ASSERT_EQ(opened[i].has_value(), i != 2);
        const auto subject = i == 2 ? std::string() : opened[i]->subject;
        EXPECT_EQ(subject, i == 2 ? "" : std::to_string(i));
    }
    EXPECT_EQ(keeper.handles.size(), 1U);
}

TEST_F(MessageVaultTest, raw_mail_comes_back_byte_for_byte_from_all_its_people_together) {
    Bytes raw(200'000);
    for (std::size_t i = 0; i < raw.size(); ++i)
        raw[i] = static_cast<std::uint8_t>(i * i >> 7);
    for (const auto& content : {raw, Bytes{}, Bytes{0}}) {
        const auto sealed = run(vault.seal_raw(workspace, id, content, both)).value();
        ASSERT_EQ(sealed.wraps.size(), 1U);
        EXPECT_EQ(open_raw(id, sealed, both).value(), content);
    }
}

TEST_F(MessageVaultTest, raw_mail_does_not_open_without_everybody_or_elsewhere) {
    const auto sealed = run(vault.seal_raw(workspace, id, to_bytes("x"), both)).value();
    EXPECT_TRUE(
        fails_with(open_raw(MessageId::make(2), sealed, both), MailServiceError::not_readable));
    EXPECT_TRUE(fails_with(open_raw(id, sealed, {both[0]}), MailServiceError::not_readable));
    auto changed = sealed;
    auto bytes = to_bytes(sealed.content.view());
    bytes.back() ^= 1;
    changed.content = store::SealedBytes(bytes);
    EXPECT_TRUE(fails_with(open_raw(id, changed, both), crypto::CryptoError::cannot_open));
    erase(both[1]);
    EXPECT_TRUE(fails_with(open_raw(id, sealed, both), MailServiceError::not_readable));
}

TEST_F(MessageVaultTest, nothing_is_sealed_for_nobody_or_for_who_has_no_key) {
    EXPECT_TRUE(fails_with(run(vault.seal_body(workspace, id, MessageBody{}, {})),
                           keys::KeyError::cannot_open));
    EXPECT_TRUE(fails_with(run(vault.seal_raw(workspace, id, to_bytes("x"), {CreatorId::make(9)})),
                           keys::KeyError::cannot_open));
}

TEST_F(MessageVaultTest, keeper_that_fails_or_is_gone_is_an_error) {
    const auto object = stored(head(thread, "Hello"), both);
    steps.fails = [](int) { return true; };
    EXPECT_TRUE(fails_with(run(vault.seal_body(workspace, id, MessageBody{}, both)),
                           keys::KeyError::storage_failed));
    EXPECT_TRUE(fails_with(open_head(thread, object), keys::KeyError::storage_failed));
    keeper.lose();
    EXPECT_TRUE(fails_with(open_head(thread, object), ipc::IpcError::closed));
}

}  // namespace
}  // namespace postern::mail::test
