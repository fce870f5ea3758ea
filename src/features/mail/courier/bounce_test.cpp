#include "features/mail/courier/bounce.h"

#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/imap_server_fake.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "platform/async/task.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

const std::string k_our_id = "ptn1.a.1.b" + std::string(k_label);

std::string report_header(const std::string& extra = "") {
    return "Message-ID: <bounce@mx.example>\r\nFrom: postmaster@mx.example\r\n"
           "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n" +
           extra;
}
const std::string k_qmail_header =
    "Message-ID: <q@mx.example>\r\nFrom: MAILER-DAEMON@mx.example\r\n";

class BounceTest : public CourierTest {
protected:
    struct Row {
        std::string name;
        FakeMail mail;
        std::vector<std::string> ids;  ///< of the candidate
        bool reads = false;            ///< the whole bounce, to find them
    };
    async::Job each(std::vector<Row> rows) {
        auto beginning = begin();
        (void)co_await std::move(beginning);
        for (const auto& row : rows) {
            const auto before = front.candidates().size();
            const auto uid = mailbox->deliver("INBOX", row.mail.header, row.mail.body);
            mailbox->folders["INBOX"].mails.back().original = row.mail.original;
            mailbox->bodies_fetched.clear();
            const auto count = mailbox->count("IDLE");
            co_await until([&] { return front.candidates().size() > before; });
            co_await until([&] { return mailbox->count("IDLE") > count && idles(); });
            const auto found = front.candidates();
            if (found.size() != before + 1) {
                ADD_FAILURE() << row.name;
                continue;
            }
            EXPECT_TRUE(found.back().is_bounce) << row.name;
            EXPECT_EQ(found.back().our_ids, row.ids) << row.name;
            EXPECT_EQ(mailbox->bodies_fetched.contains(uid), row.reads) << row.name;
        }
    }
    async::Job fetches() {
        auto beginning = begin();
        (void)co_await std::move(beginning);
        const auto ours = mailbox->deliver("INBOX", report_header(), "the status");
        mailbox->folders["INBOX"].mails.back().original = "Message-ID: <" + k_our_id + ">\r\n";
        const auto foreign = mailbox->deliver("INBOX", report_header(), "not ours");
        mailbox->folders["INBOX"].mails.back().original = "Message-ID: <x@y.example>\r\n";
        const auto reply = mailbox->deliver("INBOX", reply_header("1"));
        for (const auto& [uid, is_bounce, given] :
             {std::tuple{ours, true, true}, std::tuple{ours, false, false},
              std::tuple{foreign, true, false}, std::tuple{reply, true, false},
              std::tuple{reply, false, true}}) {
            auto asked = fetch_request(uid);
            asked.is_bounce = is_bounce;
            auto fetching = service->fetch(std::move(asked));
            const auto got = co_await std::move(fetching);
            EXPECT_EQ(got.has_value(), given) << uid << is_bounce;
            if (!got) {
                EXPECT_TRUE(got.error().is(MailError::not_found));
            }
        }
        EXPECT_FALSE(mailbox->bodies_fetched.contains(foreign));
    }
};

TEST_F(BounceTest, is_told_by_the_id_of_what_it_holds) {
    const std::string held = "Message-ID: <" + k_our_id + ">\r\n";
    const auto mentions = "said \"" + std::string(k_label) + "\"";
    play(each({
        {"report with the mail", {0, report_header(), "", held}, {k_our_id}, false},
        {"Exchange names it in References, too",
         {0, report_header("References: <" + k_our_id + ">\r\n"), "", held},
         {k_our_id},
         false},
        {"of another mail that quotes ours",
         {0, report_header("References: <" + k_our_id + ">\r\n"), mentions,
          "Message-ID: <own@brand.example>\r\nReferences: <" + k_our_id + ">\r\n"},
         {},
         false},
        {"of an id that only contains ours",
         {0, report_header(), mentions, "Message-ID: <" + k_our_id + ".evil.test>\r\n"},
         {},
         false},
        {"report without the mail", {0, report_header(), mentions, ""}, {}, false},
    }));
}

TEST_F(BounceTest, plain_one_is_read_only_where_an_id_of_ours_is_named) {
    const std::string copy = "<lea@x.example>:\r\nno such user\r\n\r\n--- Below\r\n\r\n";
    play(each({
        {"qmail",
         {0, k_qmail_header, copy + "Message-ID: <" + k_our_id + ">\r\n\r\nHello", ""},
         {k_our_id},
         true},
        {"of the user's own mail in our thread",
         {0, k_qmail_header,
          copy + "Message-ID: <own@x.example>\r\nReferences: <" + k_our_id + ">\r\n", ""},
         {},
         false},
        {"headers alone in a report",
         {0, report_header(), "Subject: x\r\nMessage-ID: <" + k_our_id + ">\r\n", ""},
         {k_our_id},
         true},
        {"too large to be a bounce",
         {0, k_qmail_header,
          copy + "Message-ID: <" + k_our_id + ">\r\n" +
              std::string(BounceReader::k_plain_bytes_max, 'x'),
          ""},
         {},
         false},
    }));
}

TEST_F(BounceTest, server_that_refuses_a_part_that_is_not_there_is_understood) {
    mailbox->refuses_missing_parts = true;
    play(each({
        {"foreign", {0, k_qmail_header, "said \"" + std::string(k_label) + "\"", ""}, {}, false},
        {"ours",
         {0, k_qmail_header, "gone\r\n\r\nMessage-ID: <" + k_our_id + ">\r\n\r\nHello", ""},
         {k_our_id},
         true},
    }));
    EXPECT_TRUE(front.ended.empty());
}

TEST_F(BounceTest, is_given_out_only_when_it_is_about_ours) {
    play(fetches());
}

TEST(NamedMessageId, takes_an_exact_token_of_a_message_id_line) {
    const std::string named = "Message-ID: <" + k_our_id + ">";
    const std::string taken[] = {
        named,
        "x\r\n" + named + "\r\ny",
        "  message-id:<" + k_our_id + ">",
        "Message-Id:\r\n\t<" + k_our_id + ">\r\n",
        "Message-ID: <a@b>\n" + named,
    };
    for (const auto& text : taken)
        EXPECT_EQ(named_message_id(text, KnownIds(std::string(k_label))), k_our_id) << text;
    const std::string left[] = {
        "",
        "References: <" + k_our_id + ">",
        "> " + named,
        k_our_id,
        "Message-ID: <" + k_our_id + ".evil.test>",
        "Message-ID:",
        "Message-ID:\n",
    };
    for (const auto& text : left)
        EXPECT_FALSE(named_message_id(text, KnownIds(std::string(k_label)))) << text;
}

}  // namespace
}  // namespace postern::mail::courier::test
