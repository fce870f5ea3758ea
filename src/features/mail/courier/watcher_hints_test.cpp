#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/watched_folders.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/mail/our_message_id.h"
#include "foundation/codec/mail/thread_index.h"
#include "platform/async/task.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace postern::mail::courier::test {
namespace {

using namespace std::chrono_literals;

constexpr codec::ThreadIndexForm::Thread k_thread{1, 2, 3, 4, 5, 6, 7, 8, 9};

/// An answer that Outlook made of one of ours, without any id.
std::string hinted_header(const std::string& extra = "", std::size_t added = 5) {
    const codec::ThreadIndexForm form(*codec::IdLabel::parse(k_label));
    auto bytes = *codec::parse_base64(form.text(k_thread));
    bytes.insert(bytes.end(), added, 0x42);
    return "Message-ID: <phone@creators.example>\r\nFrom: lea@creators.example\r\n"
           "To: maya@brand.example\r\nThread-Index: " +
           codec::base64(bytes) + "\r\n" + extra;
}

class WatcherHintsTest : public CourierTest {
protected:
    async::Job start(bool by_headers = false) {
        auto asked = watch_request();
        asked.by_headers = by_headers;
        co_await CourierTest::start(std::move(asked));
    }
    async::Job looked_past(std::string header) {
        const auto before = front.searched.size();
        mailbox->deliver("INBOX", std::move(header));
        co_await until([this, before] { return front.searched.size() > before && idles(); });
    }
    async::Job person_asks() {
        auto searching = service->search_now(SearchNow{integration});
        const auto searched = co_await std::move(searching);
        EXPECT_TRUE(searched.has_value());
    }
    [[nodiscard]] std::size_t hint_searches() const {
        std::size_t count = 0;
        for (const auto& command : mailbox->commands)
            count += command.find("HEADER Thread-Index") != std::string::npos ? 1 : 0;
        return count;
    }

    async::Job found_when_a_person_asks() {
        co_await start();
        co_await looked_past(hinted_header());
        co_await looked_past(foreign_header());
        EXPECT_TRUE(front.candidates().empty());
        EXPECT_EQ(hint_searches(), 0U);
        co_await person_asks();
        EXPECT_EQ(front.candidates().size(), 1U);
        const auto found = front.candidates().at(0);
        EXPECT_EQ(found.uid, 2U);
        EXPECT_EQ(found.hinted_thread, Bytes(k_thread.begin(), k_thread.end()));
        EXPECT_TRUE(found.our_ids.empty());
        EXPECT_EQ(found.from.at(0).address, "lea@creators.example");
        EXPECT_EQ(mailbox->headers_fetched, std::set<std::uint32_t>{2});
        auto fetching = service->fetch(fetch_request(2));
        const auto fetched = co_await std::move(fetching);
        EXPECT_TRUE(fetched.has_value());
        // What was looked at once is not looked at again.
        const auto searches = hint_searches();
        co_await person_asks();
        EXPECT_EQ(hint_searches(), searches);
        EXPECT_EQ(front.candidates().size(), 1U);
    }
    async::Job found_by_itself_from_time_to_time() {
        co_await start();
        mailbox->deliver("INBOX", hinted_header());
        co_await until([this] { return front.candidates().size() == 1; });
    }
    async::Job only_looks_like_one() {
        co_await start();
        // 4 bytes are no part that Outlook adds; the other has ids of ours, and is found by these.
        co_await looked_past(hinted_header("", 4));
        co_await looked_past(hinted_header("References: <x" + std::string(k_label) + ">\r\n"));
        const auto before = front.candidates().size();
        mailbox->headers_fetched.clear();
        co_await person_asks();
        EXPECT_EQ(front.candidates().size(), before);
        for (const auto& command : mailbox->commands)
            EXPECT_EQ(command.find("UID FETCH 2 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID"),
                      std::string::npos);
        auto fetching = service->fetch(fetch_request(2));
        const auto refused = co_await std::move(fetching);
        EXPECT_TRUE(!refused && refused.error().is(MailError::not_found));
    }
    async::Job server_finds_everything() {
        co_await start();
        for (std::size_t i = 0; i <= WatchedFolders::k_hints_max; ++i)
            mailbox->deliver("INBOX", foreign_header());
        mailbox->search_finds_all = true;
        co_await person_asks();
        EXPECT_GT(hint_searches(), 0U);
        for (const auto& command : mailbox->commands)
            EXPECT_EQ(command.find("(THREAD-INDEX)"), std::string::npos) << command;
    }
    async::Job not_where_thread_fields_are_looked_at() {
        co_await start(true);
        mailbox->deliver("INBOX", hinted_header());
        co_await until([this] { return mailbox->count("UID FETCH") > 0 && idles(); });
        co_await person_asks();
        EXPECT_EQ(hint_searches(), 0U);
        EXPECT_TRUE(front.candidates().empty());
    }
    async::Job looked_for_again_when_front_did_not_take_it() {
        co_await start();
        co_await looked_past(hinted_header());
        front.on_searched = [](FolderSearched) -> async::Task<> {
            co_return fail(MailError::timed_out);
        };
        auto searching = service->search_now(SearchNow{integration});
        (void)co_await std::move(searching);
        front.on_searched = nullptr;
        co_await person_asks();
        EXPECT_EQ(hint_searches(), 2U);
        EXPECT_FALSE(front.candidates().empty());
    }
};

TEST_F(WatcherHintsTest, answer_without_ids_is_found_when_a_person_asks) {
    play(found_when_a_person_asks());
}

TEST_F(WatcherHintsTest, answer_without_ids_is_found_by_itself_from_time_to_time) {
    options.watch.hints_interval = 20ms;
    options.watch.poll_interval = 10ms;
    play(found_by_itself_from_time_to_time());
}

TEST_F(WatcherHintsTest, front_is_told_nothing_of_what_only_looks_like_one) {
    play(only_looks_like_one());
}

TEST_F(WatcherHintsTest, server_that_finds_everything_is_asked_for_none_of_it) {
    play(server_finds_everything());
}

TEST_F(WatcherHintsTest, nothing_more_is_asked_where_thread_fields_are_looked_at) {
    play(not_where_thread_fields_are_looked_at());
}

TEST_F(WatcherHintsTest, looked_for_again_when_front_did_not_take_it) {
    play(looked_for_again_when_front_did_not_take_it());
}

}  // namespace
}  // namespace postern::mail::courier::test
