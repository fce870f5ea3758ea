#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/header_trouble.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

using namespace std::chrono_literals;

/// Servers that do not hand out one of their mails.
class WatcherRefusalTest : public CourierTest {
protected:
    WatcherRefusalTest() { options.watch.poll_interval = 5ms; }

    async::Job begin_at_the_first(bool by_headers = false) {
        auto asked = watch_request();
        asked.by_headers = by_headers;
        asked.cursors = {{"INBOX", mailbox->folders["INBOX"].uid_validity, 1}};
        auto watching = service->watch(std::move(asked));
        const auto begun = co_await std::move(watching);
        EXPECT_TRUE(begun.has_value());
    }
    std::vector<std::uint32_t> found() {
        std::vector<std::uint32_t> out;
        for (const auto& one : front.candidates())
            out.push_back(one.uid);
        return out;
    }
    std::size_t asked_alone(std::uint32_t uid) {
        return mailbox->count("UID FETCH " + std::to_string(uid) + " ");
    }

    async::Job header() {
        for (const auto* number : {"1", "2", "3"})
            mailbox->deliver("INBOX", reply_header(number));
        mailbox->refuses_headers_of = {2};
        auto beginning = begin_at_the_first();
        co_await std::move(beginning);
        co_await until([this] { return front.candidates().size() == 3 && idles(); });
        EXPECT_EQ(found(), (std::vector<std::uint32_t>{1, 2, 3}));
        EXPECT_TRUE(front.candidates()[1].our_ids.empty());
        EXPECT_EQ(asked_alone(2), HeaderTrouble::k_refusals_max);
        EXPECT_EQ(front.searched.back().next, 4U);
        mailbox->deliver("INBOX", reply_header("4"));
        co_await until([this] { return front.candidates().size() == 4; });
        EXPECT_TRUE(front.ended.empty());
        EXPECT_EQ(mailbox->connections, 1);
    }
    async::Job foreign_header_by_headers() {
        for (int i = 0; i < 250; ++i)
            mailbox->deliver("INBOX", foreign_header(std::to_string(i)));
        mailbox->deliver("INBOX", reply_header("1"));
        mailbox->refuses_headers_of = {7, 100};
        auto beginning = begin_at_the_first(true);
        co_await std::move(beginning);
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_EQ(found(), std::vector<std::uint32_t>{251});
        EXPECT_EQ(asked_alone(7), HeaderTrouble::k_refusals_max);
        EXPECT_EQ(asked_alone(100), HeaderTrouble::k_refusals_max);
        EXPECT_TRUE(front.ended.empty());
    }
    async::Job everything() {
        for (std::uint32_t uid = 1; uid <= 100; ++uid) {
            mailbox->deliver("INBOX", foreign_header());
            mailbox->refuses_headers_of.insert(uid);
        }
        options.watch.poll_interval = 1h;
        auto beginning = begin_at_the_first(true);
        co_await std::move(beginning);
        co_await until([this] { return idles(); });
        // In one look or in two, as the news of the deliveries comes: not once a mail.
        EXPECT_LT(mailbox->count("UID FETCH"), 100U);
        EXPECT_TRUE(front.ended.empty());
    }
    async::Job for_now() {
        mailbox->refusal = "NO [UNAVAILABLE] try again later";
        mailbox->deliver("INBOX", reply_header("1"));
        mailbox->refuses_headers_of = {1};
        auto beginning = begin_at_the_first();
        co_await std::move(beginning);
        co_await until([this] { return asked_alone(1) > 2 * HeaderTrouble::k_refusals_max; });
        EXPECT_TRUE(front.candidates().empty());
        mailbox->refuses_headers_of.clear();
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_EQ(front.candidates()[0].our_ids.size(), 1U);
        EXPECT_TRUE(front.ended.empty());
    }
    /// As front does: what may yet be had is asked for again, what may not is done with.
    async::Task<> take(FolderSearched told) {
        for (const auto& candidate : told.candidates) {
            auto fetching = service->fetch(fetch_request(candidate.uid, told.folder));
            const auto fetched = co_await std::move(fetching);
            answers.push_back(fetched ? "" : std::string(fetched.error().code()));
            if (!fetched && !fetched.error().is(MailError::mail_refused)) {
                co_return fail(fetched.error());
            }
        }
        co_return Result<>{};
    }
    async::Job body() {
        front.on_searched = [this](FolderSearched told) { return take(std::move(told)); };
        mailbox->deliver("INBOX", reply_header("1"));
        mailbox->deliver("INBOX", reply_header("2"));
        mailbox->refuses_bodies_of = {1};
        auto beginning = begin_at_the_first();
        co_await std::move(beginning);
        co_await until([this] { return answers.size() == 4; });
        EXPECT_EQ(answers, (std::vector<std::string>{"provider_refused", "provider_refused",
                                                     "mail_refused", ""}));
        EXPECT_TRUE(front.ended.empty());
    }
    async::Job renumbered() {
        mailbox->deliver("INBOX",
                         reply_header("big", "X: " + std::string(9U << 20U, 'x') + "\r\n"));
        auto beginning = begin_at_the_first();
        co_await std::move(beginning);
        co_await until([this] { return front.ended.size() == 1; });
        auto& inbox = mailbox->folders["INBOX"];
        inbox = {};
        inbox.uid_validity = 1001;
        mailbox->deliver("INBOX", reply_header("small"));
        auto again = begin_at_the_first();
        co_await std::move(again);
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_EQ(front.candidates()[0].our_ids.size(), 1U);
    }

    std::vector<std::string> answers;
};

TEST_F(WatcherRefusalTest, mail_whose_header_is_refused_holds_up_no_other_and_is_told_of) {
    play(header());
}
TEST_F(WatcherRefusalTest, foreign_mail_that_is_refused_holds_up_no_reply) {
    play(foreign_header_by_headers());
}
TEST_F(WatcherRefusalTest, server_that_refuses_everything_is_asked_little) {
    play(everything());
}
TEST_F(WatcherRefusalTest, mail_that_cannot_be_had_at_the_moment_is_waited_for) {
    play(for_now());
}
TEST_F(WatcherRefusalTest, body_that_is_refused_each_time_is_refused_for_good) {
    play(body());
}
TEST_F(WatcherRefusalTest, trouble_with_a_mail_ends_when_its_number_is_given_to_another) {
    play(renumbered());
}

TEST(HeaderTrouble, forgets_before_it_grows_without_end) {
    HeaderTrouble trouble;
    const auto mail = [](std::uint32_t uid) { return HeaderTrouble::Mail{"INBOX", 1, uid}; };
    for (std::uint32_t uid = 1; uid <= 3 * HeaderTrouble::k_entries_max; ++uid) {
        EXPECT_FALSE(trouble.refused(mail(uid), false));
        trouble.note({mail(uid)});
    }
    EXPECT_LE(trouble.refusals.size(), HeaderTrouble::k_entries_max);
    EXPECT_LE(trouble.unreadable.size(), HeaderTrouble::k_entries_max);
}

TEST(HeaderTrouble, counts_what_is_refused_for_now_apart) {
    HeaderTrouble trouble;
    const HeaderTrouble::Mail mail{"INBOX", 1, 1};
    for (unsigned i = 1; i < HeaderTrouble::k_refusals_for_now_max; ++i)
        EXPECT_FALSE(trouble.refused(mail, true));
    EXPECT_FALSE(trouble.refused(mail, false));
    EXPECT_TRUE(trouble.refused(mail, true));
}

}  // namespace
}  // namespace postern::mail::courier::test
