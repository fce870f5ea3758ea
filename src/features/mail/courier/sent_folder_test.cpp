#include "features/mail/courier/sent_folder.h"  // IWYU pragma: keep

#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/imap_server_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/os/files.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

const std::string k_id = "ptn1.a.1.b" + std::string(k_label);
const std::string k_mail = "Message-ID: <" + k_id + ">\r\nSubject: s\r\n\r\nbody";

class SentFolderTest : public CourierTest {
protected:
    SaveSent request(bool with_mail = true) {
        SaveSent asked;
        asked.ticket = {1};
        asked.message_id = k_id;
        if (with_mail) asked.raw = std::move(*os::make_memory_file(as_bytes(k_mail)));
        return asked;
    }
    async::Job scenario(SaveSent asked) {
        auto saving = service->save_sent(std::move(asked));
        outcome.emplace(co_await std::move(saving));
    }
    async::Job second() {
        auto saving = service->save_sent(request());
        const auto refused = co_await std::move(saving);
        EXPECT_TRUE(!refused && refused.error().is(ipc::IpcError::busy));
        seconds += 1;
    }
    SaveSent::Answer answer(bool with_mail = true) {
        play(scenario(request(with_mail)));
        if (!outcome || !*outcome) {
            ADD_FAILURE() << (outcome ? outcome->error().code() : "none");
            return {};
        }
        return **outcome;
    }
    std::vector<FakeMail>& sent() { return mailbox->folders["Sent"].mails; }

    std::optional<Result<SaveSent::Answer>> outcome;
    int seconds = 0;
};

TEST_F(SentFolderTest, adds_the_mail_read_and_unchanged) {
    const auto saved = answer();
    EXPECT_FALSE(saved.was_there);
    EXPECT_TRUE(saved.added);
    EXPECT_GT(saved.bytes, 0U);
    ASSERT_EQ(sent().size(), 1U);
    EXPECT_EQ(sent()[0].header + "\r\n" + sent()[0].body, k_mail);
    EXPECT_EQ(mailbox->count("APPEND \"Sent\" (\\Seen)"), 1U);
}
TEST_F(SentFolderTest, leaves_alone_what_is_there) {
    mailbox->deliver("Sent", "Message-ID: <" + k_id + ">\r\n");
    const auto saved = answer();
    EXPECT_TRUE(saved.was_there);
    EXPECT_FALSE(saved.added);
    EXPECT_EQ(sent().size(), 1U);
}
TEST_F(SentFolderTest, id_that_only_contains_ours_is_another_mail) {
    mailbox->deliver("Sent", "Message-ID: <x" + k_id + ">\r\n");
    mailbox->deliver("Sent", "Message-ID: <" + k_id + ".evil.test>\r\n");
    EXPECT_TRUE(answer().added);
    EXPECT_EQ(sent().size(), 3U);
}
TEST_F(SentFolderTest, only_looks_without_a_mail) {
    mailbox->deliver("Sent", foreign_header());
    const auto saved = answer(false);
    EXPECT_FALSE(saved.was_there);
    EXPECT_FALSE(saved.added);
    EXPECT_EQ(mailbox->count("APPEND"), 0U);
    EXPECT_TRUE(mailbox->headers_fetched.empty());
}
class RewrittenTest : public SentFolderTest {
protected:
    static std::string mail(const std::string& id, const std::string& date) {
        return "Message-ID: <" + id + ">\r\nDate: " + date + "\r\nIn-Reply-To: <r@x.example>\r\n" +
               "References: <" + k_id + ">\r\n <r@x.example>\r\n";
    }
    SaveSent::Answer look(bool look_only) {
        SaveSent asked;
        asked.ticket = {1};
        asked.message_id = k_id;
        asked.look_only = look_only;
        asked.raw = *os::make_memory_file(as_bytes(mail(k_id, k_date) + "\r\nHello"));
        play(scenario(std::move(asked)));
        return outcome && *outcome ? **outcome : SaveSent::Answer{};
    }
    static constexpr const char* k_date = "Mon, 23 Nov 2026 10:15:00 +0000";
    const std::string k_given = "0102018f3c7a1b2c@eu-west-1.amazonses.com";
};

TEST_F(RewrittenTest, copy_with_another_id_is_ours_when_all_else_is) {
    mailbox->deliver("Sent", mail("user-typed-1234@outlook.example", "Tue, 24 Nov 2026 10:15:00"));
    mailbox->deliver("Sent", mail(k_given, k_date));
    const auto saved = look(false);
    EXPECT_TRUE(saved.was_there);
    EXPECT_FALSE(saved.added);
    EXPECT_EQ(saved.given_id, k_given);
    EXPECT_TRUE(mailbox->bodies_fetched.empty());
}
TEST_F(RewrittenTest, what_the_user_wrote_elsewhere_is_not) {
    mailbox->deliver("Sent", mail("user-typed-1234@outlook.example", "Tue, 24 Nov 2026 10:15:00"));
    mailbox->deliver("Sent", "Message-ID: <other-one-5678@x.example>\r\nDate: " +
                                 std::string(k_date) + "\r\nReferences: <" + k_id + ">\r\n");
    const auto saved = look(true);
    EXPECT_FALSE(saved.was_there);
    EXPECT_FALSE(saved.added);
    EXPECT_EQ(saved.given_id, "");
}

TEST_F(SentFolderTest, mailbox_without_sent_folder_gets_no_copy) {
    mailbox->folders.erase("Sent");
    const auto saved = answer();
    EXPECT_FALSE(saved.was_there);
    EXPECT_FALSE(saved.added);
    EXPECT_EQ(mailbox->count("APPEND"), 0U);
}
TEST_F(SentFolderTest, two_at_one_time_make_one_copy) {
    mailbox->before = [this](const std::string& command) {
        if (command.starts_with("APPEND")) group.spawn("second", second());
    };
    EXPECT_TRUE(answer().added);
    EXPECT_EQ(seconds, 1);
    EXPECT_EQ(sent().size(), 1U);
}
TEST_F(SentFolderTest, use_that_ends_meanwhile_is_no_success) {
    mailbox->before = [this](const std::string& command) {
        if (command.starts_with("APPEND")) service->end_uses({integration, true, {}});
    };
    play(scenario(request()));
    EXPECT_TRUE(outcome && !*outcome && outcome->error().is(MailError::use_ended));
    EXPECT_TRUE(sent().empty());
}

}  // namespace
}  // namespace postern::mail::courier::test
