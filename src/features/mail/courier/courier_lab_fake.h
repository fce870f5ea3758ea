#pragma once

#include "features/mail/courier/courier_service.h"
#include "features/mail/courier/imap_server_fake.h"
#include "features/mail/courier/smtp_server_fake.h"
#include "platform/async/deadline.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/os/files.h"

#include <boost/asio/awaitable.hpp>
#include <gtest/gtest.h>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier::test {

inline constexpr std::string_view k_label = "@box7.ptn.brand.example";

inline std::string reply_header(const std::string& number, const std::string& extra = "") {
    return "Message-ID: <reply-" + number + "@creators.example>\r\nIn-Reply-To: <ptn1.a." + number +
           ".b" + std::string(k_label) +
           ">\r\nFrom: Lea <lea@creators.example>\r\nTo: " + "maya@brand.example\r\n" + extra;
}
inline std::string foreign_header(const std::string& canary = "canary") {
    return "Message-ID: <" + canary + "@elsewhere.example>\r\nSubject: " + canary +
           "\r\nFrom: someone@elsewhere.example\r\n";
}

class FakeClock final : public Clock {
public:
    UnixMs now = 1'000'000;
    [[nodiscard]] UnixMs now_ms() const override { return now; }
};

class FakeCredentials final : public CredentialSource {
public:
    OpenedUse next;  ///< without the password
    std::optional<UseFor> only_for;
    std::function<void()> before_answer;
    int redeemed = 0;

    async::Task<OpenedUse> redeem(Bytes ticket, UseFor purpose) override {
        ++redeemed;
        if (ticket != Bytes{1} || (only_for && *only_for != purpose))
            co_return fail(MailError::ticket_refused);
        OpenedUse use;
        use.integration = next.integration;
        use.by_grant = next.by_grant;
        use.grant = next.grant;
        use.until_ms = next.until_ms;
        use.destination = next.destination;
        use.password = Secret::copy_of(as_bytes("pw"));
        if (before_answer) before_answer();
        co_return use;
    }
};

/// Remembers what it is told; `on_searched` may fetch before it answers.
class FakeFront final : public Front {
public:
    std::vector<FolderSearched> searched;
    std::vector<WatchEnded> ended;
    int dots_asked = 0;
    BeforeFinalDot dot;  ///< the last one
    std::function<async::Task<>(FolderSearched)> on_searched;
    std::function<Result<>()> on_dot;

    async::Task<> before_final_dot(BeforeFinalDot asked) override {
        ++dots_asked;
        dot = asked;
        co_return on_dot ? on_dot() : Result<>{};
    }
    async::Task<> folder_searched(FolderSearched told) override {
        searched.push_back(told);
        if (!on_searched) co_return Result<>{};
        auto answering = on_searched(searched.back());
        co_return co_await std::move(answering);
    }
    async::Task<> watch_ended(WatchEnded told) override {
        ended.push_back(told);
        co_return Result<>{};
    }
    [[nodiscard]] std::vector<Candidate> candidates() const {
        std::vector<Candidate> out;
        for (const auto& one : searched)
            out.insert(out.end(), one.candidates.begin(), one.candidates.end());
        return out;
    }
};

/// The whole courier process but for sockets: scripted servers on one side, a fake front and keeper
/// on the other, one event loop.
class CourierTest : public ::testing::Test {
protected:
    CourierTest() {
        credentials.next.integration = integration;
        credentials.next.until_ms = clock.now + 3'600'000;
        credentials.next.destination.username = "maya";
        credentials.next.destination.imap = {"imap", 993, TlsUse::implicit};
        credentials.next.destination.smtp = {"smtp", 587, TlsUse::starttls};
        connector.hosts["imap"] = [this]() -> Result<std::shared_ptr<FakeServer>> {
            auto server = std::make_shared<FakeImapServer>(io.get_executor(), mailbox);
            mailbox->connection = server;
            servers.push_back(server);
            return server;
        };
        connector.hosts["smtp"] = [this]() -> Result<std::shared_ptr<FakeServer>> {
            auto server = std::make_shared<FakeSmtpServer>(io.get_executor(), submission);
            servers.push_back(server);
            return server;
        };
        options.session.stall = std::chrono::seconds(5);
        options.session.noop_interval = std::chrono::milliseconds(5);
        options.watch.poll_interval = std::chrono::hours(1);
    }

    /// Runs one scenario to its end, then stops the service.
    void play(async::Job scenario) {
        service.emplace(CourierService::Parts{.credentials = &credentials,
                                              .connector = &connector,
                                              .front = &front,
                                              .clock = &clock,
                                              .group = &group},
                        options);
        // In a group of its own: a job may not cancel the group that it runs in.
        scenarios.spawn("scenario", outer(std::move(scenario), this));
        io.run_for(std::chrono::minutes(5));
        EXPECT_TRUE(finished) << "the scenario hangs";
    }

    Watch watch_request() {
        Watch asked;
        asked.ticket = {1};
        asked.integration = integration;
        asked.search_label = k_label;
        return asked;
    }
    FetchMail fetch_request(std::uint32_t uid, std::string folder = "INBOX") {
        FetchMail asked;
        asked.integration = integration;
        asked.uid_validity = mailbox->folders.at(folder).uid_validity;
        asked.folder = std::move(folder);
        asked.uid = uid;
        asked.bytes_max = 1'000'000;
        return asked;
    }
    async::Task<Watch::Answer> begin(std::vector<FolderCursor> cursors = {}) {
        auto asked = watch_request();
        asked.cursors = std::move(cursors);
        auto watching = service->watch(std::move(asked));
        co_return co_await std::move(watching);
    }
    /// Watches a mailbox with one foreign mail, until the watch idles.
    async::Job start(Watch asked) {
        mailbox->deliver("INBOX", foreign_header());
        auto watching = service->watch(std::move(asked));
        const auto begun = co_await std::move(watching);
        EXPECT_TRUE(begun.has_value());
        co_await until([this] { return idles(); });
    }
    /// Lets the others run until it holds; fails the test when it never does.
    async::Job until(std::function<bool()> holds) {
        const auto end = Deadline::in(std::chrono::minutes(1));
        while (!holds() && !end.passed()) {
            auto waiting = async::wait_until(Deadline::in(std::chrono::milliseconds(1)));
            (void)co_await std::move(waiting);
        }
        EXPECT_TRUE(holds());
    }
    bool idles() { return !mailbox->commands.empty() && mailbox->commands.back() == "IDLE"; }

    boost::asio::io_context io;
    async::TaskGroup group{io.get_executor()};
    async::TaskGroup scenarios{io.get_executor()};
    FakeClock clock;
    FakeCredentials credentials;
    FakeFront front;
    FakeConnector connector;
    std::shared_ptr<FakeMailbox> mailbox = std::make_shared<FakeMailbox>();
    std::shared_ptr<FakeSubmission> submission = std::make_shared<FakeSubmission>();
    std::vector<std::shared_ptr<FakeServer>> servers;
    IntegrationId integration = IntegrationId::make(1);
    CourierOptions options;
    std::optional<CourierService> service;
    bool finished = false;

private:
    static async::Job outer(async::Job inner, CourierTest* test) {
        co_await std::move(inner);
        test->finished = true;
        test->service->stop();
        test->group.cancel();
    }
};

}  // namespace postern::mail::courier::test
