#include "features/mail/courier/search_probe.h"  // IWYU pragma: keep

#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

const std::string k_root = "ptn1.a.1.b" + std::string(k_label);
const std::string k_given = "AM0PR07MB1234@eurprd07.prod.outlook.com";

class SearchProbeTest : public CourierTest {
protected:
    ProbeSearch request() {
        ProbeSearch asked;
        asked.ticket = {1};
        asked.search_label = k_label;
        asked.other_label = "@zzzz99.ptn.brand.example";
        asked.root_id = k_root;
        return asked;
    }
    async::Job scenario(ProbeSearch asked) {
        auto probing = service->probe_search(std::move(asked));
        outcome = co_await std::move(probing);
    }
    SearchProbe result() {
        play(scenario(request()));
        EXPECT_TRUE(outcome && *outcome);
        return outcome && *outcome ? (*outcome)->result : SearchProbe::nothing_to_search;
    }
    void our_copy() {
        mailbox->deliver("Sent", "Message-ID: <" + k_root + ">\r\nReferences: <" + k_root +
                                     ">\r\nSubject: ours\r\n");
    }

    std::optional<Result<ProbeSearch::Answer>> outcome;
};

TEST_F(SearchProbeTest, works_where_ours_comes_back_and_nothing_else) {
    mailbox->deliver("Sent", foreign_header());
    our_copy();
    EXPECT_EQ(result(), SearchProbe::works);
    EXPECT_EQ(mailbox->headers_fetched, std::set<std::uint32_t>{2});
    EXPECT_EQ(mailbox->count("UID SEARCH"), 3U);
    EXPECT_GT((*outcome)->bytes, 0U);
}
TEST_F(SearchProbeTest, fails_where_ours_is_not_found) {
    our_copy();
    mailbox->search_answer = "OK nothing";
    EXPECT_EQ(result(), SearchProbe::fails);
    EXPECT_TRUE(mailbox->headers_fetched.empty());
}
TEST_F(SearchProbeTest, fails_where_a_label_that_no_mail_has_is_found_and_looks_at_none_of_it) {
    our_copy();
    mailbox->search_finds_all = true;
    EXPECT_EQ(result(), SearchProbe::fails);
    EXPECT_TRUE(mailbox->headers_fetched.empty());
}
TEST_F(SearchProbeTest, fails_where_other_mail_comes_back_with_ours) {
    our_copy();
    mailbox->deliver("Sent", "References: <" + k_root + ".evil.test>\r\n");
    EXPECT_EQ(result(), SearchProbe::fails);
}
TEST_F(SearchProbeTest, fails_where_the_mail_asked_for_is_not_among_them) {
    mailbox->deliver("Sent", "References: <ptn1.c.1.d" + std::string(k_label) + ">\r\n");
    EXPECT_EQ(result(), SearchProbe::fails);
}
TEST_F(SearchProbeTest, fails_where_the_server_refuses_to_search) {
    our_copy();
    mailbox->search_answer = "NO not here";
    EXPECT_EQ(result(), SearchProbe::fails);
}
TEST_F(SearchProbeTest, finds_the_thread_asked_for_below_many_newer_ones) {
    our_copy();
    for (int i = 0; i < 20; ++i) {
        mailbox->deliver("Sent", "References: <ptn1.c." + std::to_string(i) + ".d" +
                                     std::string(k_label) + ">\r\n");
    }
    EXPECT_EQ(result(), SearchProbe::works);
    EXPECT_TRUE(mailbox->headers_fetched.contains(1));
    EXPECT_EQ(mailbox->headers_fetched.size(), 6U);
}

/// What a server says that will search at another time.
class SearchNotNowTest : public SearchProbeTest,
                         public ::testing::WithParamInterface<const char*> {};

TEST_P(SearchNotNowTest, says_nothing) {
    our_copy();
    mailbox->search_answer = "NO [" + std::string(GetParam()) + "] later";
    play(scenario(request()));
    EXPECT_TRUE(outcome && !*outcome);
}
INSTANTIATE_TEST_SUITE_P(Codes,
                         SearchNotNowTest,
                         ::testing::Values("INUSE", "LIMIT", "UNAVAILABLE"));

TEST_F(SearchProbeTest, says_nothing_with_an_empty_sent_folder) {
    EXPECT_EQ(result(), SearchProbe::nothing_to_search);
    EXPECT_EQ(mailbox->count("UID SEARCH"), 1U);
    EXPECT_TRUE(mailbox->headers_fetched.empty());
}
TEST_F(SearchProbeTest, fails_where_the_server_refuses_to_search_an_empty_folder) {
    mailbox->search_answer = "NO not here";
    EXPECT_EQ(result(), SearchProbe::fails);
}
TEST_F(SearchProbeTest, says_nothing_without_a_sent_folder) {
    mailbox->folders.erase("Sent");
    EXPECT_EQ(result(), SearchProbe::nothing_to_search);
    EXPECT_EQ(mailbox->count("UID SEARCH"), 0U);
}
TEST_F(SearchProbeTest, searches_for_nothing_but_labels) {
    auto asked = request();
    asked.search_label = "a";
    play(scenario(std::move(asked)));
    EXPECT_TRUE(outcome && !*outcome && outcome->error().is(MailError::protocol_violation));
    EXPECT_EQ(mailbox->connections, 0);
}

class ByHeadersTest : public CourierTest {
protected:
    async::Job watch(bool by_headers, std::function<async::Job()> then) {
        auto asked = watch_request();
        asked.by_headers = by_headers;
        asked.learned_ids = {k_given};
        auto watching = service->watch(std::move(asked));
        (void)co_await std::move(watching);
        co_await until([this] { return idles(); });
        auto going = then();
        co_await std::move(going);
    }
    async::Job finds() {
        mailbox->deliver("INBOX", foreign_header("canary1"));
        mailbox->deliver("INBOX", reply_header("1"));
        mailbox->deliver("INBOX", "In-Reply-To: <" + k_given + ">\r\n");
        mailbox->deliver("INBOX", "In-Reply-To: <x" + k_given + ">\r\n");
        co_await until([this] { return front.candidates().size() == 2; });
        co_await until([this] { return idles(); });
        EXPECT_EQ(front.candidates()[0].uid, 2U);
        EXPECT_EQ(front.candidates()[1].our_ids, std::vector<std::string>{k_given});
        EXPECT_TRUE(front.searched.back().by_headers);
        EXPECT_EQ(front.searched.back().next, 5U);
        EXPECT_EQ(mailbox->count("UID SEARCH"), 0U);
        for (const auto& command : mailbox->commands) {
            if (!command.starts_with("UID FETCH") || command.find(" 2") != std::string::npos) {
                continue;
            }
            if (command.find("MESSAGE-ID") != std::string::npos) continue;
            EXPECT_NE(command.find("HEADER.FIELDS (IN-REPLY-TO REFERENCES)"), std::string::npos);
        }
        EXPECT_TRUE(mailbox->bodies_fetched.empty());
    }
    async::Job takes_turns() {
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_FALSE(front.searched.back().by_headers);
        const auto searches = mailbox->count("UID SEARCH");
        auto setting = service->set_watch({integration, {}, true});
        (void)co_await std::move(setting);
        mailbox->deliver("INBOX", reply_header("2"));
        co_await until([this] { return front.candidates().size() == 2; });
        EXPECT_TRUE(front.searched.back().by_headers);
        EXPECT_EQ(mailbox->count("UID SEARCH"), searches);
        auto back = service->set_watch({integration, {}, false});
        (void)co_await std::move(back);
        mailbox->deliver("INBOX", reply_header("3"));
        co_await until([this] { return front.candidates().size() == 3; });
        EXPECT_FALSE(front.searched.back().by_headers);
    }
    /// 20 mails, of which the last two came since.
    async::Job renumbered(FolderCursor cursor, UnixMs seen_at_ms) {
        for (int i = 0; i < 19; ++i)
            mailbox->deliver("INBOX", foreign_header(std::to_string(i)));
        mailbox->deliver("INBOX", reply_header("1"));
        mailbox->since_finds = {19, 20};
        auto asked = watch_request();
        asked.by_headers = true;
        asked.cursors = {std::move(cursor)};
        asked.seen_at_ms = seen_at_ms;
        auto watching = service->watch(std::move(asked));
        const auto begun = co_await std::move(watching);
        start = begun ? begun->cursors.at(0).next_uid : 0;
        co_await until([this] { return idles(); });
    }
    async::Job renumbered_meanwhile() {
        auto& junk = mailbox->folders["Junk"];
        junk.uid_validity = 2001;
        for (int i = 0; i < 5; ++i)
            mailbox->deliver("Junk", foreign_header());
        auto searching = service->search_now(SearchNow{integration});
        (void)co_await std::move(searching);
        EXPECT_TRUE(front.searched.at(0).validity_changed);
        EXPECT_TRUE(mailbox->headers_fetched.empty());
        mailbox->deliver("Junk", reply_header("1"));
        auto again = service->search_now(SearchNow{integration});
        (void)co_await std::move(again);
        EXPECT_EQ(front.candidates().size(), 1U);
        EXPECT_EQ(mailbox->headers_fetched, std::set<std::uint32_t>{6});
    }
    std::uint32_t start = 0;

    async::Job many() {
        for (int i = 0; i < 500; ++i)
            mailbox->deliver("INBOX", foreign_header(std::to_string(i)));
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_EQ(front.candidates()[0].uid, 501U);
    }
    async::Job huge() {
        mailbox->deliver("INBOX", reply_header("1"));
        mailbox->deliver("INBOX", "References: " + std::string(2U << 20U, 'x') + "\r\n");
        mailbox->deliver("INBOX", reply_header("3"));
        for (int tries = 0; tries < 3 && front.candidates().size() < 2; ++tries) {
            const auto ended = front.ended.size();
            co_await until(
                [&] { return front.ended.size() > ended || front.candidates().size() == 2; });
            auto asked = watch_request();
            asked.by_headers = true;
            asked.cursors = {{"INBOX", 1000, 1}};
            auto watching = service->watch(std::move(asked));
            (void)co_await std::move(watching);
        }
        co_await until([this] { return front.candidates().size() == 2; });
    }
    async::Job learns() {
        mailbox->deliver("INBOX", "In-Reply-To: <later-" + k_given + ">\r\n");
        co_await until([this] { return idles(); });
        EXPECT_TRUE(front.candidates().empty());
        auto setting = service->set_watch({integration, {"later-" + k_given}, false});
        (void)co_await std::move(setting);
        const auto uid = mailbox->deliver("INBOX", "In-Reply-To: <later-" + k_given + ">\r\n");
        // What came before may be found, too, as long as the cursor has not passed it.
        co_await until(
            [&] { return !front.candidates().empty() && front.candidates().back().uid == uid; });
    }
};

constexpr UnixMs k_first_of_march = 1'772'323'200'000;  // 2026, in UTC

TEST_F(ByHeadersTest, folder_with_new_numbers_is_looked_at_from_the_day_before_on) {
    play(renumbered({"INBOX", 999, 500}, k_first_of_march));
    EXPECT_EQ(start, 19U);
    EXPECT_EQ(mailbox->headers_fetched, (std::set<std::uint32_t>{19, 20}));
    // Of Junk, too, which had no cursor.
    EXPECT_EQ(mailbox->count("UID SEARCH SINCE 28-Feb-2026"), 2U);
    ASSERT_EQ(front.candidates().size(), 1U);
    EXPECT_EQ(front.candidates()[0].uid, 20U);
    EXPECT_TRUE(front.searched.at(0).validity_changed);
}
TEST_F(ByHeadersTest, folder_that_was_set_back_is_looked_at_from_the_day_before_on) {
    play(renumbered({"INBOX", 1000, 500}, k_first_of_march));
    EXPECT_EQ(start, 19U);
    EXPECT_EQ(mailbox->headers_fetched, (std::set<std::uint32_t>{19, 20}));
}
TEST_F(ByHeadersTest, folder_with_new_numbers_begins_at_its_end_where_no_day_is_known) {
    play(renumbered({"INBOX", 999, 1}, 0));
    EXPECT_EQ(start, 21U);
    EXPECT_TRUE(mailbox->headers_fetched.empty());
}
TEST_F(ByHeadersTest, folder_that_gets_new_numbers_meanwhile_shows_no_old_mail) {
    play(watch(true, [this] { return renumbered_meanwhile(); }));
}
TEST_F(ByHeadersTest, finds_what_names_ours_and_asks_for_two_fields_of_the_rest) {
    play(watch(true, [this] { return finds(); }));
}
TEST_F(ByHeadersTest, begins_and_ends_while_watching) {
    play(watch(false, [this] { return takes_turns(); }));
}
TEST_F(ByHeadersTest, takes_many_at_a_time) {
    play(watch(true, [this] { return many(); }));
    EXPECT_LE(mailbox->count("UID FETCH"), 10U);
}
TEST_F(ByHeadersTest, is_not_stopped_by_a_header_that_is_too_large) {
    play(watch(true, [this] { return huge(); }));
}
TEST_F(ByHeadersTest, learnt_id_counts_from_then_on) {
    play(watch(false, [this] { return learns(); }));
}

}  // namespace
}  // namespace postern::mail::courier::test
