#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "platform/async/task.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

const std::string k_given = "given-0123456789abcdef@mail.provider.example";

/// Answers an id that the server gave our mail, and no other.
std::string answer_to(const std::string& id) {
    return "Message-ID: <quick@creators.example>\r\nFrom: lea@creators.example\r\n"
           "To: maya@brand.example\r\nIn-Reply-To: <" +
           id + ">\r\n";
}

class WatcherLearnedTest : public CourierTest {
protected:
    async::Job start(bool by_headers) {
        auto asked = watch_request();
        asked.by_headers = by_headers;
        co_await CourierTest::start(std::move(asked));
    }
    async::Job learn(bool by_headers, std::string id = k_given) {
        auto setting = service->set_watch(SetWatch{integration, {std::move(id)}, by_headers});
        const auto set = co_await std::move(setting);
        EXPECT_TRUE(set.has_value());
    }

    /// An autoresponder is quicker than the look into Sent, and the next answer moves the cursor.
    async::Job found_though_it_was_searched_past() {
        co_await start(false);
        mailbox->deliver("INBOX", answer_to(k_given));
        co_await until([this] { return mailbox->count("UID SEARCH") > 0 && idles(); });
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_EQ(front.candidates()[0].uid, 3U);
        co_await learn(false);
        co_await until([this] { return front.candidates().size() == 2 && idles(); });
        EXPECT_EQ(front.candidates()[1].uid, 2U);
        EXPECT_EQ(front.candidates()[1].our_ids.at(0), k_given);
        // It was told once: the same id again is no news.
        const auto searches = mailbox->count("UID SEARCH");
        co_await learn(false);
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 3 && idles(); });
        EXPECT_EQ(mailbox->count("UID SEARCH"), searches + 1);
    }
    async::Job found_though_learnt_during_a_search() {
        const std::string other = "other-0123456789abcdef@mail.provider.example";
        co_await start(false);
        mailbox->deliver("INBOX", answer_to(other));
        co_await until([this] { return mailbox->count("UID SEARCH") > 0 && idles(); });
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        bool told = false;
        mailbox->before = [this, other, &told](const std::string& command) {
            if (told || !command.starts_with("UID SEARCH")) return;
            told = true;
            scenarios.spawn("learn", learn(false, other));
        };
        co_await learn(false);
        co_await until([this] { return front.candidates().size() == 2 && idles(); });
        mailbox->before = nullptr;
        EXPECT_TRUE(told);
        EXPECT_EQ(front.candidates()[1].our_ids.at(0), other);
    }
    /// Two mails come while the first command of a look is answered: the last would find one.
    async::Job found_though_another_command_had_its_id() {
        co_await start(false);
        std::vector<std::string> ids;
        for (int i = 0; i < 40; ++i)
            ids.push_back(std::to_string(1000 + i) + std::string(180, 'x') + "@prod.example");
        auto setting = service->set_watch(SetWatch{integration, ids, false});
        const auto set = co_await std::move(setting);
        EXPECT_TRUE(set.has_value());
        co_await until([this] { return idles(); });
        bool told = false;
        mailbox->before = [this, ids, &told](const std::string& command) {
            const bool has_first = command.find(ids.front()) != std::string::npos;
            if (told || !command.starts_with("UID SEARCH") || !has_first) return;
            told = true;
            mailbox->deliver("INBOX", answer_to(ids.front()));
            mailbox->deliver("INBOX", answer_to(ids.back()));
        };
        mailbox->deliver("INBOX", foreign_header());
        co_await until([this] { return front.candidates().size() == 2 && idles(); });
        mailbox->before = nullptr;
        EXPECT_TRUE(told);
        EXPECT_EQ(front.candidates()[0].our_ids.at(0), ids.front());
        EXPECT_EQ(front.candidates()[1].our_ids.at(0), ids.back());
    }
    async::Job others_fields_are_not_looked_at_again() {
        co_await start(true);
        mailbox->deliver("INBOX", answer_to(k_given));
        co_await until([this] { return mailbox->count("UID FETCH 2 ") > 0 && idles(); });
        const auto fetched = mailbox->count("UID FETCH");
        co_await learn(true);
        mailbox->deliver("INBOX", foreign_header());
        co_await until(
            [this, fetched] { return mailbox->count("UID FETCH") > fetched && idles(); });
        EXPECT_EQ(mailbox->count("UID FETCH 2"), 1U);
        EXPECT_TRUE(front.candidates().empty());
    }
};

TEST_F(WatcherLearnedTest, answer_that_came_before_its_id_was_learnt_is_found) {
    play(found_though_it_was_searched_past());
}
TEST_F(WatcherLearnedTest, id_that_is_learnt_while_another_is_searched_for_is_not_lost) {
    play(found_though_learnt_during_a_search());
}
TEST_F(WatcherLearnedTest, mail_between_two_commands_of_one_search_is_not_passed_over) {
    play(found_though_another_command_had_its_id());
}
TEST_F(WatcherLearnedTest, other_peoples_fields_are_not_fetched_twice_for_a_learnt_id) {
    play(others_fields_are_not_looked_at_again());
}

}  // namespace
}  // namespace postern::mail::courier::test
