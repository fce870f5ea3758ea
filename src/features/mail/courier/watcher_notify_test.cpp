#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <string>
#include <utility>

namespace postern::mail::courier::test {
namespace {

using namespace std::chrono_literals;

/// Servers that tell of all folders over one connection (RFC 5465).
class WatcherNotifyTest : public CourierTest {
protected:
    WatcherNotifyTest() {
        mailbox->capabilities += " NOTIFY";
        // Whatever is found is found because the server told, not by a poll.
        options.watch.poll_interval = 1h;
        options.watch.idle_max = 1h;
        options.watch.other_rest = 0ms;
    }
    async::Job start() {
        auto beginning = begin();
        const auto begun = co_await std::move(beginning);
        EXPECT_TRUE(begun.has_value());
        co_await until([this] { return idles(); });
    }
    async::Task<> refuse_once() {
        if (refused++ == 0) co_return fail(MailError::mail_unreadable);
        co_return Result<>{};
    }

    async::Job other_folder() {
        co_await start();
        EXPECT_EQ(mailbox->count("NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge)) "
                                 "(MAILBOXES (\"INBOX\" \"Junk\") (MessageNew MessageExpunge))"),
                  1U);
        const auto asked = mailbox->count("STATUS");
        mailbox->deliver("Junk", reply_header("junk"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_EQ(front.searched.back().folder, "Junk");
        mailbox->deliver("INBOX", reply_header("inbox"));
        co_await until([this] { return front.candidates().size() == 2 && idles(); });
        EXPECT_EQ(front.searched.back().folder, "INBOX");
        EXPECT_EQ(mailbox->count("STATUS"), asked);
        EXPECT_EQ(mailbox->connections, 1);
    }
    async::Job unrelated() {
        co_await start();
        mailbox->deliver("Junk", foreign_header());
        co_await until([this] { return mailbox->count("EXAMINE \"Junk\"") == 1 && idles(); });
        mailbox->deliver("Junk", foreign_header());
        co_await until([this] { return mailbox->count("EXAMINE \"Junk\"") == 2 && idles(); });
        EXPECT_EQ(mailbox->count("UID FETCH"), 0U);
        EXPECT_EQ(front.searched.back().next, 3U);
    }
    async::Job rests() {
        co_await start();
        mailbox->deliver("Junk", foreign_header());
        co_await until([this] { return mailbox->count("EXAMINE \"Junk\"") == 1 && idles(); });
        for (int i = 0; i < 20; ++i)
            mailbox->deliver("Junk", foreign_header());
        mailbox->deliver("Junk", reply_header("late"));
        mailbox->deliver("INBOX", reply_header("meanwhile"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_EQ(front.searched.back().folder, "INBOX") << "Junk rests, INBOX does not";
        EXPECT_EQ(mailbox->count("EXAMINE \"Junk\""), 1U);
        co_await until([this] { return front.candidates().size() == 2 && idles(); });
        EXPECT_EQ(mailbox->count("EXAMINE \"Junk\""), 2U);
    }
    async::Job inbox_while_elsewhere() {
        mailbox->before = [this](const std::string& command) {
            if (command.starts_with("UID SEARCH") && tricks++ == 0) {
                mailbox->deliver("INBOX", reply_header("between"));
            }
        };
        co_await start();
        mailbox->deliver("Junk", foreign_header());
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_EQ(front.searched.back().folder, "INBOX");
    }
    async::Job overflows() {
        co_await start();
        mailbox->connection.lock()->overflow();
        mailbox->deliver("Junk", reply_header("not told of"));
        mailbox->deliver("INBOX", foreign_header());
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        co_await until([this] { return mailbox->count("NOTIFY") == 2 && idles(); });
        const auto asked = mailbox->count("STATUS");
        mailbox->deliver("Junk", reply_header("told of again"));
        co_await until([this] { return front.candidates().size() == 2; });
        EXPECT_EQ(mailbox->count("STATUS"), asked);
    }
    async::Job overflows_always() {
        mailbox->overflows_at_once = true;
        co_await start();
        EXPECT_EQ(mailbox->count("NOTIFY"), 1U);
        const auto asked = mailbox->count("STATUS");
        mailbox->deliver("INBOX", reply_header("here"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_EQ(mailbox->count("NOTIFY"), 1U) << "not before the next poll";
        EXPECT_EQ(mailbox->count("STATUS"), asked);
    }
    async::Job refused_by_server() {
        mailbox->refuses_notify = true;
        co_await start();
        EXPECT_EQ(mailbox->count("NOTIFY"), 1U);
        mailbox->deliver("Junk", reply_header("polled"));
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_GT(mailbox->count("STATUS"), 1U);
    }
    async::Job validity_changes() {
        co_await start();
        mailbox->folders["Junk"].uid_validity = 2001;
        mailbox->deliver("Junk", reply_header("renumbered"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_TRUE(front.searched.back().validity_changed);
        EXPECT_EQ(front.searched.back().uid_validity, 2001U);
        EXPECT_EQ(front.searched.back().first, 1U);
    }
    async::Job front_refuses() {
        front.on_searched = [this](const FolderSearched&) { return refuse_once(); };
        co_await start();
        mailbox->deliver("Junk", reply_header("1"));
        co_await until([this] { return front.searched.size() == 2 && idles(); });
        EXPECT_EQ(front.searched[1].candidates.size(), 1U);
    }
    async::Job folder_goes() {
        co_await start();
        mailbox->before = [this](const std::string& command) {
            if (command.starts_with("EXAMINE \"Junk\"")) mailbox->folders.erase("Junk");
        };
        mailbox->deliver("Junk", reply_header("gone"));
        co_await until([this] { return mailbox->count("EXAMINE \"Junk\"") == 1 && idles(); });
        mailbox->deliver("INBOX", reply_header("here"));
        co_await until([this] { return front.candidates().size() == 1 && idles(); });
        EXPECT_TRUE(front.ended.empty());
        EXPECT_EQ(mailbox->count("EXAMINE \"Junk\""), 1U);
    }

    int tricks = 0;
    int refused = 0;
};

TEST_F(WatcherNotifyTest, other_folders_are_told_of_over_the_same_connection) {
    play(other_folder());
}
TEST_F(WatcherNotifyTest, unrelated_mail_elsewhere_is_searched_once_and_nothing_of_it_is_read) {
    play(unrelated());
}
TEST_F(WatcherNotifyTest, stream_of_mail_elsewhere_is_looked_at_in_batches) {
    options.watch.other_rest = 2000ms;
    play(rests());
}
TEST_F(WatcherNotifyTest, mail_in_inbox_while_another_folder_is_open_is_found) {
    play(inbox_while_elsewhere());
}
TEST_F(WatcherNotifyTest, server_that_stops_to_tell_is_asked_for_everything_and_to_tell_again) {
    options.watch.poll_interval = 20ms;
    play(overflows());
}
TEST_F(WatcherNotifyTest, server_that_always_stops_to_tell_is_left_alone_between_polls) {
    play(overflows_always());
}
TEST_F(WatcherNotifyTest, server_that_refuses_to_tell_is_polled) {
    options.watch.poll_interval = 20ms;
    play(refused_by_server());
}
TEST_F(WatcherNotifyTest, other_uidvalidity_in_what_is_told_searches_anew) {
    play(validity_changes());
}
TEST_F(WatcherNotifyTest, report_that_front_refused_comes_again) {
    options.watch.poll_interval = 20ms;
    play(front_refuses());
}
TEST_F(WatcherNotifyTest, folder_that_is_gone_ends_no_watch) {
    play(folder_goes());
}

}  // namespace
}  // namespace postern::mail::courier::test
