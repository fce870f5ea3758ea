#include "features/mail/courier/watcher.h"

#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/watched_folders.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/os/files.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

using namespace std::chrono_literals;

class WatcherTest : public CourierTest {
protected:
    async::Job quiet_start() {
        mailbox->deliver("INBOX", reply_header("old"));
        mailbox->deliver("INBOX", foreign_header());
        auto beginning = begin();
        const auto begun = co_await std::move(beginning);
        if (!begun) {
            ADD_FAILURE() << begun.error().code();
            co_return;
        }
        EXPECT_EQ(begun->cursors.size(), 2U);
        EXPECT_EQ(begun->cursors[0].folder, "INBOX");
        EXPECT_EQ(begun->cursors[0].next_uid, 3U);
        EXPECT_EQ(begun->cursors[1].folder, "Junk");
        EXPECT_GT(begun->bytes, 0U);
        co_await until([this] { return idles(); });
    }
    async::Task<> fetch_all(FolderSearched told) {
        for (const auto& candidate : told.candidates) {
            auto fetching = service->fetch(fetch_request(candidate.uid, told.folder));
            fetched.push_back(co_await std::move(fetching));
        }
        co_return Result<>{};
    }

    async::Job first_sight() {
        co_await quiet_start();
        EXPECT_EQ(mailbox->count("UID SEARCH"), 0U);
        EXPECT_TRUE(front.searched.empty());
    }
    /// Of 4 mails the last two came since the first mail was sent from here.
    async::Job first_sight_after_sending(bool by_headers) {
        mailbox->deliver("INBOX", reply_header("0"));
        for (int i = 0; i < 2; ++i)
            mailbox->deliver("INBOX", foreign_header());
        mailbox->deliver("INBOX", reply_header("1"));
        mailbox->since_finds = {3, 4};
        auto asked = watch_request();
        asked.seen_at_ms = 1'772'323'200'000;  // the first of March 2026, in UTC
        asked.by_headers = by_headers;
        auto watching = service->watch(std::move(asked));
        const auto begun = co_await std::move(watching);
        EXPECT_TRUE(begun && begun->cursors.at(0).next_uid == 3U);
        co_await until([this] { return idles(); });
        EXPECT_EQ(mailbox->count("UID SEARCH SINCE 28-Feb-2026"), mailbox->folders.size() - 1);
        const auto found = front.candidates();
        EXPECT_TRUE(found.size() == 1 && found[0].uid == 4U);
        for (const auto& told : front.searched)
            EXPECT_FALSE(told.validity_changed);
    }
    async::Job reply_arrives() {
        front.on_searched = [this](FolderSearched told) { return fetch_all(std::move(told)); };
        co_await quiet_start();
        const auto uid = mailbox->deliver("INBOX", reply_header("1", "Cc: x@y.example\r\n"), "Hi!");
        co_await until([this] { return fetched.size() == 1; });
        const auto& told = front.searched.at(0);
        EXPECT_EQ(told.folder, "INBOX");
        EXPECT_EQ(told.uid_validity, 1000U);
        EXPECT_EQ(told.first, 3U);
        EXPECT_EQ(told.next, 4U);
        EXPECT_GT(told.bytes, 0U);
        const auto& candidate = told.candidates.at(0);
        EXPECT_EQ(candidate.uid, uid);
        EXPECT_EQ(candidate.message_id, "reply-1@creators.example");
        EXPECT_EQ(candidate.our_ids, std::vector<std::string>{"ptn1.a.1.b" + std::string(k_label)});
        EXPECT_EQ(candidate.from.at(0).address, "lea@creators.example");
        EXPECT_EQ(candidate.recipients.size(), 2U);
        if (!fetched.at(0)) {
            ADD_FAILURE() << fetched[0].error().code();
            co_return;
        }
        const auto raw = os::Mapping::of_sealed(fetched[0]->raw.get(), 10'000);
        const auto expected = mailbox->folders["INBOX"].mails.back();
        EXPECT_EQ(as_text(raw->bytes()), expected.header + "\r\n" + expected.body);
        EXPECT_EQ(mailbox->headers_fetched, std::set<std::uint32_t>{uid});
        EXPECT_EQ(mailbox->bodies_fetched, std::set<std::uint32_t>{uid});
    }
    async::Job unrelated_mail() {
        co_await quiet_start();
        for (int i = 0; i < 20; ++i) {
            mailbox->deliver("INBOX", foreign_header("canary" + std::to_string(i)));
            co_await until([this] { return idles(); });
        }
        EXPECT_TRUE(front.candidates().empty());
        EXPECT_EQ(mailbox->count("UID FETCH"), 0U);
        EXPECT_EQ(mailbox->count("STATUS"), 1U);
        EXPECT_LE(mailbox->count("UID SEARCH"), 20U);
    }
    async::Job arrives_in_the_gap() {
        mailbox->after = [this](const std::string& command) {
            if (!command.starts_with("UID SEARCH") || gaps++ >= 3) return;
            mailbox->deliver("INBOX", reply_header("gap" + std::to_string(gaps)));
        };
        co_await quiet_start();
        mailbox->deliver("INBOX", foreign_header());
        co_await until([this] { return front.candidates().size() == 3; });
    }
    async::Job exists_before_idling() {
        mailbox->exists_before_plus = true;
        mailbox->before = [this](const std::string& command) {
            if (command == "IDLE" && gaps++ == 1) mailbox->deliver("INBOX", reply_header("1"));
        };
        co_await quiet_start();
        mailbox->deliver("INBOX", foreign_header());
        co_await until([this] { return front.candidates().size() == 1; });
    }
    async::Job expunged_before_fetch() {
        mailbox->before = [this](const std::string& command) {
            if (command.starts_with("UID FETCH") && gaps++ == 0) mailbox->expunge("INBOX", 3);
        };
        co_await quiet_start();
        mailbox->deliver("INBOX", reply_header("gone"));
        co_await until([this] { return front.searched.size() == 1; });
        EXPECT_TRUE(front.searched[0].candidates.empty());
        EXPECT_EQ(front.searched[0].next, 4U);
        mailbox->deliver("INBOX", reply_header("next"));
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_EQ(front.candidates()[0].uid, 4U);
    }
    async::Job star_names_the_last_mail() {
        mailbox->deliver("INBOX", reply_header("below"));
        auto beginning = begin();
        (void)co_await std::move(beginning);
        co_await until([this] { return idles(); });
        // Comes and goes before the search: `2:*` then means the mail below 2, which is a hit.
        mailbox->before = [this](const std::string& command) {
            if (command.starts_with("UID SEARCH") && gaps++ == 0) mailbox->expunge("INBOX", 2);
        };
        mailbox->deliver("INBOX", foreign_header());
        co_await until([this] { return front.searched.size() == 1; });
        EXPECT_TRUE(front.searched[0].candidates.empty());
        EXPECT_EQ(mailbox->count("UID FETCH"), 0U);
    }
    async::Job catches_up() {
        for (int i = 0; i < 20; ++i)
            mailbox->deliver("INBOX", reply_header(std::to_string(i)));
        auto beginning = begin({{"INBOX", 1000, 5}, {"Junk", 2000, 1}, {"Gone", 9, 9}});
        const auto begun = co_await std::move(beginning);
        EXPECT_EQ(begun->cursors.at(0).next_uid, 5U);
        co_await until([this] { return idles(); });
        EXPECT_EQ(front.candidates().size(), 16U);
        EXPECT_EQ(front.searched.size(), 2U);
        EXPECT_EQ(front.searched.at(0).first, 5U);
        EXPECT_EQ(front.searched.at(0).next, front.searched.at(1).first);
        EXPECT_EQ(front.searched.at(1).next, 21U);
        EXPECT_EQ(mailbox->headers_fetched.count(4), 0U);
    }
    async::Job validity_changed_before() {
        mailbox->deliver("INBOX", reply_header("renumbered"));
        auto beginning = begin({{"INBOX", 999, 1}});
        const auto begun = co_await std::move(beginning);
        EXPECT_EQ(begun->cursors.at(0).uid_validity, 1000U);
        EXPECT_EQ(begun->cursors.at(0).next_uid, 1U);
        co_await until([this] { return idles(); });
        EXPECT_EQ(front.searched.size(), 1U);
        EXPECT_TRUE(front.searched.at(0).validity_changed);
        EXPECT_EQ(front.searched.at(0).first, 1U);
        EXPECT_EQ(front.searched.at(0).next, 2U);
        EXPECT_EQ(front.candidates().size(), 1U);
    }
    async::Job validity_changes_meanwhile() {
        co_await quiet_start();
        auto& junk = mailbox->folders["Junk"];
        junk.uid_validity = 2001;
        junk.uid_next = 70;
        mailbox->deliver("Junk", foreign_header());
        mailbox->deliver("Junk", reply_header("between"));
        auto searching = service->search_now(SearchNow{integration});
        (void)co_await std::move(searching);
        EXPECT_TRUE(front.searched.at(0).validity_changed);
        EXPECT_EQ(front.searched[0].uid_validity, 2001U);
        EXPECT_EQ(front.searched[0].first, 1U);
        EXPECT_EQ(front.candidates().size(), 1U);
        EXPECT_EQ(mailbox->headers_fetched.count(70), 0U) << "a foreign mail";
        mailbox->deliver("Junk", reply_header("new"));
        auto again = service->search_now(SearchNow{integration});
        (void)co_await std::move(again);
        EXPECT_EQ(front.candidates().size(), 2U);
    }
    async::Job other_folder() {
        co_await quiet_start();
        mailbox->deliver("Junk", reply_header("junk"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_EQ(front.searched.back().folder, "Junk");
        mailbox->deliver("INBOX", reply_header("inbox"));
        co_await until([this] { return front.candidates().size() == 2; });
        EXPECT_EQ(front.searched.back().folder, "INBOX");
    }
    async::Job asked_to_search() {
        co_await quiet_start();
        mailbox->deliver("Junk", foreign_header());
        mailbox->deliver("Junk", reply_header("junk"));
        auto searching = service->search_now(SearchNow{integration});
        const auto searched = co_await std::move(searching);
        EXPECT_EQ(searched->searched, 2U);
        EXPECT_EQ(searched->candidates, 1U);
        EXPECT_EQ(front.candidates().size(), 1U);
    }
    async::Task<> refuse_once() {
        if (gaps++ == 0) co_return fail(MailError::mail_unreadable);
        co_return Result<>{};
    }
    async::Job front_refuses() {
        front.on_searched = [this](const FolderSearched&) { return refuse_once(); };
        co_await quiet_start();
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.searched.size() == 1 && idles(); });
        auto searching = service->search_now(SearchNow{integration});
        (void)co_await std::move(searching);
        EXPECT_EQ(front.searched.size(), 2U);
        EXPECT_EQ(front.searched.at(1).first, front.searched.at(0).first);
        EXPECT_EQ(front.searched.at(1).candidates.size(), 1U);
    }
    async::Job without_idle() {
        mailbox->capabilities = "IMAP4rev1 SASL-IR AUTH=PLAIN";
        auto beginning = begin();
        (void)co_await std::move(beginning);
        co_await until([this] { return mailbox->count("NOOP") > 0; });
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 1; });
    }
    async::Job search_refused() {
        co_await quiet_start();
        mailbox->search_answer = "NO [SERVERBUG] not now";
        mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.ended.size() == 1; });
        EXPECT_EQ(front.ended[0].reason, MailError::provider_refused);
        EXPECT_EQ(mailbox->count("UID FETCH"), 0U);
    }

    async::Job search_lies() {
        mailbox->search_finds_all = true;
        co_await quiet_start();
        const auto foreign = mailbox->deliver("INBOX", foreign_header("secret"));
        const auto ours = mailbox->deliver("INBOX", reply_header("1"));
        co_await until([this] { return front.candidates().size() == 2; });
        const auto found = front.candidates();
        EXPECT_EQ(found[0].uid, foreign);
        EXPECT_TRUE(found[0].message_id.empty() && found[0].from.empty());
        EXPECT_EQ(found[1].uid, ours);
        EXPECT_EQ(found[1].from.size(), 1U);
        for (const auto& command : mailbox->commands) {
            const bool wants_all = command.find("MESSAGE-ID") != std::string::npos;
            EXPECT_TRUE(!wants_all || command.starts_with("UID FETCH 4 ")) << command;
        }
    }

    async::Job idle_is_renewed() {
        mailbox->folders.erase("Junk");
        auto beginning = begin();
        (void)co_await std::move(beginning);
        co_await until([this] { return mailbox->count("IDLE") >= 4; });
        EXPECT_EQ(mailbox->count("STATUS"), 0U);
        EXPECT_EQ(mailbox->count("UID SEARCH"), 0U);
        mailbox->mute = true;
        co_await until([this] { return front.ended.size() == 1; });
        EXPECT_EQ(front.ended.at(0).reason, MailError::timed_out);
    }
    async::Job header_is_too_large() {
        mailbox->deliver("INBOX", reply_header("small"));
        mailbox->deliver("INBOX",
                         reply_header("big", "X: " + std::string(9U << 20U, 'x') + "\r\n"));
        // Once as one of two, once alone; from then on it is reported without its header.
        for (std::size_t i = 1; i <= 2; ++i) {
            auto beginning = begin({{"INBOX", 1000, 1}});
            EXPECT_TRUE((co_await std::move(beginning)).has_value());
            co_await until([this, i] { return front.ended.size() == i; });
            EXPECT_EQ(front.ended.back().reason, MailError::too_large);
            EXPECT_TRUE(front.searched.empty());
        }
        auto beginning = begin({{"INBOX", 1000, 1}});
        EXPECT_TRUE((co_await std::move(beginning)).has_value());
        co_await until([this] { return front.candidates().size() == 2; });
        EXPECT_EQ(front.candidates()[0].our_ids.size(), 1U);
        EXPECT_EQ(front.candidates()[1].uid, 2U);
        EXPECT_TRUE(front.candidates()[1].our_ids.empty());
        EXPECT_EQ(front.ended.size(), 2U);
    }
    async::Job resyncs() {
        co_await quiet_start();
        for (unsigned i = 0; i < WatchedFolders::k_open_searches_max; ++i) {
            mailbox->deliver("INBOX", foreign_header());
            co_await until([this, i] { return mailbox->count("UID SEARCH") > i && idles(); });
            // The last one is followed by the resync at once.
            if (i + 1 < WatchedFolders::k_open_searches_max) {
                EXPECT_EQ(front.searched.back().next, 3U);
            }
        }
        co_await until([this] { return mailbox->count("EXAMINE") == 2 && idles(); });
        EXPECT_EQ(front.searched.back().first, 3U);
        EXPECT_EQ(front.searched.back().next, mailbox->folders["INBOX"].uid_next);
    }
    async::Job too_many_wishes() {
        co_await quiet_start();
        mailbox->mute = true;
        for (std::size_t i = 0; i <= Watcher::k_waiting_max; ++i)
            group.spawn("fetch", fetch_into_results());
        auto fetching = service->fetch(fetch_request(1));
        const auto refused = co_await std::move(fetching);
        EXPECT_TRUE(!refused && refused.error().is(ipc::IpcError::busy));
        service->end_uses({integration, true, {}});
        co_await until([this] { return fetched.size() == Watcher::k_waiting_max + 1; });
        for (const auto& one : fetched)
            EXPECT_FALSE(one.has_value());
    }
    async::Job fetch_into_results() {
        auto fetching = service->fetch(fetch_request(1));
        auto outcome = co_await std::move(fetching);
        fetched.push_back(std::move(outcome));
    }

    struct FetchRow {
        std::string name;
        std::function<void(FetchMail&)> change;
        MailError expected;
    };
    async::Job fetch_refusals() {
        co_await quiet_start();
        const auto foreign = mailbox->deliver("INBOX", foreign_header());
        const auto uid = mailbox->deliver("INBOX", reply_header("1"), std::string(5000, 'x'));
        co_await until([this] { return front.candidates().size() == 1; });
        const std::vector<FetchRow> rows = {
            {"over the limit", [](auto& f) { f.bytes_max = 4999; }, MailError::too_large},
            {"other validity", [](auto& f) { f.uid_validity = 7; }, MailError::not_found},
            {"gone", [](auto& f) { f.uid = 4711; }, MailError::not_found},
            {"uid 0", [](auto& f) { f.uid = 0; }, MailError::not_found},
            {"not ours", [foreign](auto& f) { f.uid = foreign; }, MailError::not_found},
            {"not watched", [](auto& f) { f.folder = "Sent"; }, MailError::not_found},
        };
        for (const auto& row : rows) {
            auto asked = fetch_request(uid);
            row.change(asked);
            auto fetching = service->fetch(std::move(asked));
            const auto outcome = co_await std::move(fetching);
            EXPECT_FALSE(outcome) << row.name;
            if (outcome) continue;
            EXPECT_TRUE(outcome.error().is(row.expected)) << row.name;
        }
        EXPECT_TRUE(mailbox->bodies_fetched.empty());
        auto fetching = service->fetch(fetch_request(uid));
        EXPECT_TRUE((co_await std::move(fetching)).has_value());
        EXPECT_TRUE(front.ended.empty());
    }

    async::Job cut_connection(long lines) {
        mailbox->cut_after = lines;
        mailbox->deliver("INBOX", reply_header("old"));
        front.on_searched = [this](FolderSearched told) { return fetch_all(std::move(told)); };
        auto beginning = begin({{"INBOX", 1000, 1}});
        const auto begun = co_await std::move(beginning);
        if (!begun) {
            EXPECT_TRUE(begun.error().is(MailError::connection_lost)) << begun.error().code();
            EXPECT_TRUE(front.ended.empty());
            co_return;
        }
        begun_once = true;
        co_await until([this] { return !front.ended.empty() || idles(); });
        uncut = front.ended.empty();
        if (uncut) co_return;
        EXPECT_EQ(front.ended.size(), 1U);
        EXPECT_EQ(front.ended.at(0).reason, MailError::connection_lost);
        auto searching = service->search_now(SearchNow{integration});
        EXPECT_FALSE((co_await std::move(searching)).has_value());
    }

    std::vector<Result<FetchMail::Answer>> fetched;
    int gaps = 0;
    bool begun_once = false;
    bool uncut = false;
};

TEST_F(WatcherTest, first_sight_sets_the_floor_and_searches_nothing) {
    play(first_sight());
}
TEST_F(WatcherTest, answer_that_came_before_the_first_watch_is_found) {
    play(first_sight_after_sending(false));
}
TEST_F(WatcherTest, answer_that_came_before_the_first_watch_is_found_by_its_fields) {
    play(first_sight_after_sending(true));
    EXPECT_EQ(mailbox->headers_fetched, (std::set<std::uint32_t>{3, 4}));
}
TEST_F(WatcherTest, reply_is_reported_and_fetched_while_front_works_on_it) {
    play(reply_arrives());
}
TEST_F(WatcherTest, unrelated_mail_costs_one_search_and_nothing_of_it_is_read) {
    play(unrelated_mail());
}
TEST_F(WatcherTest, mail_between_search_and_idle_is_found) {
    play(arrives_in_the_gap());
}
TEST_F(WatcherTest, mail_told_before_the_server_idles_is_found) {
    play(exists_before_idling());
}
TEST_F(WatcherTest, mail_that_is_gone_before_its_header_is_read_is_passed_over) {
    play(expunged_before_fetch());
}
TEST_F(WatcherTest, last_mail_below_the_cursor_is_not_a_hit) {
    play(star_names_the_last_mail());
}
TEST_F(WatcherTest, what_came_meanwhile_is_reported_in_adjoining_ranges) {
    play(catches_up());
}
TEST_F(WatcherTest, other_uidvalidity_at_the_start_searches_anew) {
    play(validity_changed_before());
}
TEST_F(WatcherTest, other_uidvalidity_while_watching_searches_anew) {
    play(validity_changes_meanwhile());
}
TEST_F(WatcherTest, other_folders_are_polled) {
    options.watch.poll_interval = 20ms;
    play(other_folder());
}
TEST_F(WatcherTest, search_now_answers_after_its_reports) {
    play(asked_to_search());
}
TEST_F(WatcherTest, report_that_front_refused_comes_again) {
    play(front_refuses());
}
TEST_F(WatcherTest, server_without_idle_is_asked_by_noop) {
    play(without_idle());
}
TEST_F(WatcherTest, refused_search_ends_the_watch_and_reads_nothing) {
    play(search_refused());
}
TEST_F(WatcherTest, fetch_gives_only_answers_to_our_mails_within_the_limit) {
    play(fetch_refusals());
}

TEST_F(WatcherTest, front_is_told_nothing_of_what_a_lying_search_finds) {
    play(search_lies());
}

TEST_F(WatcherTest, idle_is_renewed_and_a_dead_connection_noticed) {
    options.watch.idle_max = 5ms;
    options.session.stall = 30ms;
    play(idle_is_renewed());
}
TEST_F(WatcherTest, header_that_is_too_large_stops_the_mailbox_twice_at_most) {
    play(header_is_too_large());
}
TEST_F(WatcherTest, cursor_catches_up_with_a_stream_of_unrelated_mail) {
    options.watch.poll_interval = 500ms;
    play(resyncs());
}
TEST_F(WatcherTest, more_fetches_than_allowed_are_refused_and_all_end_with_the_use) {
    play(too_many_wishes());
}

TEST(WatcherCut, connection_broken_at_any_line_is_told_once) {
    class Cut : public WatcherTest {
    public:
        void TestBody() override {}
        bool run(long lines) {
            play(cut_connection(lines));
            return uncut;
        }
    };
    long lines = 0;
    while (lines < 100 && !Cut().run(lines))
        ++lines;
    EXPECT_GT(lines, 20);
    EXPECT_LT(lines, 100);
}

}  // namespace
}  // namespace postern::mail::courier::test
