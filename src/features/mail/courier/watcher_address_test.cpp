#include "features/mail/courier/courier_lab_fake.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "platform/async/task.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {
namespace {

using namespace std::chrono_literals;

const std::string k_address = "maya+box7.0123456789abcdef@brand.example";

/// Without an id of ours.
std::string header_to(const std::string& to, const std::string& extra = "") {
    return "Message-ID: <" + to.substr(0, 4) + "@creators.example>\r\nFrom: lea@creators.example" +
           "\r\nTo: " + to + "\r\n" + extra;
}

class WatcherAddressTest : public CourierTest {
protected:
    WatcherAddressTest() { credentials.next.destination.address = "maya@brand.example"; }

    async::Job start(bool by_address) {
        auto asked = watch_request();
        asked.by_address = by_address;
        co_await CourierTest::start(std::move(asked));
    }
    void deliver(const std::string& header) {
        searches_before = mailbox->count("UID SEARCH");
        mailbox->deliver("INBOX", header, "Hi!");
    }
    async::Job searched() {
        co_await until(
            [this] { return mailbox->count("UID SEARCH") > searches_before && idles(); });
    }
    [[nodiscard]] bool asked_for_recipients() const {
        return std::ranges::any_of(mailbox->commands, [](const std::string& command) {
            return command.find("HEADER To") != std::string::npos ||
                   command.find(" TO ") != std::string::npos;
        });
    }

    async::Job found_once_watched() {
        co_await start(false);
        deliver(header_to(k_address));
        co_await searched();
        EXPECT_TRUE(front.candidates().empty());
        EXPECT_FALSE(asked_for_recipients());
        auto early = service->fetch(fetch_request(2));
        const auto refused = co_await std::move(early);
        EXPECT_TRUE(!refused && refused.error().is(MailError::not_found));

        auto telling = service->watch_addresses(WatchAddresses{integration});
        const auto told = co_await std::move(telling);
        EXPECT_TRUE(told.has_value());
        deliver(header_to("Maya <" + k_address + ">, bo@creators.example"));
        co_await searched();
        deliver(header_to("maya@brand.example", "Cc: " + k_address + "\r\n"));
        co_await searched();
        // With what came before: nothing had been found behind it.
        co_await until([this] { return front.candidates().size() == 3; });
        auto found = front.candidates();
        EXPECT_EQ(found[0].uid, 2U);
        found.erase(found.begin());
        EXPECT_TRUE(found[0].our_ids.empty());
        EXPECT_EQ(found[0].from.at(0).address, "lea@creators.example");
        EXPECT_EQ(found[0].recipients.at(0).address, k_address);
        EXPECT_EQ(found[0].recipients.size(), 2U);
        EXPECT_EQ(found[1].recipients.at(1).address, k_address);
        auto fetching = service->fetch(fetch_request(found[0].uid));
        const auto fetched = co_await std::move(fetching);
        EXPECT_TRUE(fetched.has_value());
        EXPECT_EQ(mailbox->bodies_fetched, std::set<std::uint32_t>{found[0].uid});
    }
    async::Job found_from_the_start() {
        co_await start(true);
        deliver(header_to("MAYA+BOX7.0123456789ABCDEF@Brand.Example"));
        co_await searched();
        co_await until([this] { return front.candidates().size() == 1; });
        EXPECT_EQ(front.candidates()[0].recipients.size(), 1U);
    }
    /// The server's search names them all: each has the needle somewhere.
    async::Job only_looks_like_one() {
        co_await start(true);
        const std::vector<std::string> headers{
            header_to("x" + k_address),
            header_to(k_address + ".evil.test"),
            header_to("max1+box7.0123456789abcdef@brand.example"),
            header_to("maya+box7.0123456789abcde@brand.example"),
            header_to("maya@brand.example", "X-To: " + k_address + "\r\n"),
            header_to("maya@brand.example", "Subject: " + k_address + "\r\n"),
            header_to("maya@brand.example (" + k_address + ")"),
            header_to("\"" + k_address + "\" <maya@brand.example>")};
        for (const auto& header : headers) {
            deliver(header);
            co_await searched();
        }
        for (const auto& candidate : front.candidates()) {
            EXPECT_TRUE(candidate.from.empty());
            EXPECT_TRUE(candidate.recipients.empty());
            EXPECT_TRUE(candidate.message_id.empty());
            auto fetching = service->fetch(fetch_request(candidate.uid));
            const auto refused = co_await std::move(fetching);
            EXPECT_TRUE(!refused && refused.error().is(MailError::not_found));
        }
        EXPECT_EQ(front.candidates().size(), headers.size());
        EXPECT_TRUE(mailbox->bodies_fetched.empty());
    }
    async::Job not_looked_at_by_headers() {
        co_await start(true);
        auto setting = service->set_watch(SetWatch{integration, {}, true});
        const auto set = co_await std::move(setting);
        EXPECT_TRUE(set.has_value());
        const auto before = mailbox->count("UID FETCH");
        mailbox->deliver("INBOX", header_to(k_address));
        co_await until([this, before] { return mailbox->count("UID FETCH") > before && idles(); });
        EXPECT_TRUE(front.candidates().empty());
        EXPECT_FALSE(asked_for_recipients());
    }

    std::size_t searches_before = 0;
};

TEST_F(WatcherAddressTest, answer_without_ids_is_found_and_fetched_once_addresses_are_watched) {
    play(found_once_watched());
}
TEST_F(WatcherAddressTest, watch_may_begin_with_it) {
    play(found_from_the_start());
}
TEST_F(WatcherAddressTest, front_is_told_nothing_of_what_only_looks_like_one) {
    play(only_looks_like_one());
}
TEST_F(WatcherAddressTest, whom_mail_goes_to_is_never_asked_where_headers_are_looked_at) {
    play(not_looked_at_by_headers());
}

TEST(WatchedAddresses, are_searched_for_in_the_first_command_only) {
    KnownIds ids{std::string(k_label)};
    EXPECT_FALSE(ids.is_addressed({{"", k_address}}));
    ids.watch_addresses("maya+x@brand.example");
    EXPECT_FALSE(ids.watches_addresses());
    ids.watch_addresses("maya@brand.example");
    EXPECT_TRUE(ids.is_addressed({{"", "bo@creators.example"}, {"", k_address}}));
    EXPECT_FALSE(ids.is_addressed({{"", "maya@brand.example"}, {k_address, ""}}));
    std::vector<std::string> many;
    for (int i = 0; i < 300; ++i)
        many.push_back("learnt-id-" + std::to_string(1000 + i) + "@mail.provider.example");
    ids.learn(many);
    const auto queries = ids.queries(7, 9);
    ASSERT_TRUE(queries);
    ASSERT_GT(queries->size(), 1U);
    for (std::size_t i = 0; i < queries->size(); ++i) {
        const auto& text = (*queries)[i].text();
        EXPECT_EQ(text.find("HEADER To \"+box7.\"") != std::string::npos, i == 0);
        EXPECT_LT(text.size(), 8192U);
    }
}

}  // namespace
}  // namespace postern::mail::courier::test
