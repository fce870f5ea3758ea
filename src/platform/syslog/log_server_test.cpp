#include "platform/syslog/log_server.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/net/connector.h"
#include "platform/net/net_error.h"
#include "platform/net/test_certificates.h"
#include "platform/net/test_loop.h"
#include "platform/net/tls_context.h"
#include "platform/syslog/syslog_message.h"
#include "platform/syslog/syslog_protocol.h"

#include <gtest/gtest.h>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::syslog {
namespace {

using net::NetError;
using net::Transport;
using net::test::Authority;
using net::test::Peer;

class LogServerTest : public ::testing::Test {
protected:
    LogServerTest() { resolver.table["logs.example"] = {"127.0.0.1"}; }

    /// Keeps what it is sent.
    Peer::Script keeping() {
        return [this](std::shared_ptr<Transport> transport) -> async::Job {
            auto shaking = transport->handshake_as_server(context);
            const auto done = co_await std::move(shaking);
            if (!done) co_return;
            there.push_back(transport);
            Bytes bytes(4096);
            while (true) {
                const auto got = co_await transport->read_some(bytes);
                if (!got || *got == 0) co_return;
                kept += as_text(ByteView(bytes).first(*got));
            }
        };
    }
    LogServer::Options options(const Peer& peer) {
        LogServer::Options made;
        made.host = "logs.example";
        made.port = peer.port();
        made.ca_pem = authority.pem();
        made.host_name = "mail.example";
        made.time = std::chrono::milliseconds(500);
        return made;
    }
    std::unique_ptr<LogServer> server(LogServer::Options made) {
        return std::make_unique<LogServer>(connector, loop.tasks, trust, std::move(made));
    }
    Result<SendSyslog::Answer> send(LogServer& to, std::vector<std::string> texts, bool anew) {
        SendSyslog asked;
        asked.anew = anew;
        for (auto& text : texts)
            asked.messages.push_back({1'000, std::move(text)});
        return loop.run(to.send(std::move(asked)));
    }
    std::int64_t sent(LogServer& to, std::vector<std::string> texts, bool anew = false) {
        auto answer = send(to, std::move(texts), anew);
        EXPECT_TRUE(answer) << answer.error().code();
        return answer ? answer->connection : 0;
    }
    void expect_refused(LogServer& to, NetError code) {
        const auto answer = send(to, {"one"}, false);
        ASSERT_FALSE(answer);
        EXPECT_TRUE(answer.error().is(code)) << answer.error().code();
    }
    static std::string frame(const std::string& text) {
        return frame_of("mail.example", {1'000, text}).value();
    }
    void await_kept(const std::string& all) {
        loop.run_until([&] { return kept.size() >= all.size(); });
        EXPECT_EQ(kept, all);
    }

    Authority authority;
    net::TlsContext context = net::test::server_context(authority.issue({.name = "logs.example"}));
    net::test::Loop loop;
    net::test::TableResolver resolver;
    net::TlsContext trust = net::TlsContext::client().value();
    net::Connector connector{
        resolver, {.allow_private = {*net::Cidr::parse("127.0.0.1/32")}}, trust};
    std::vector<std::shared_ptr<Transport>> there;
    std::string kept;
};

TEST_F(LogServerTest, messages_arrive_framed_on_one_connection) {
    const Peer peer(loop, keeping());
    const auto to = server(options(peer));
    const auto first = sent(*to, {"one", "two"});
    EXPECT_EQ(sent(*to, {}), first);
    EXPECT_EQ(sent(*to, {"three"}), first);
    await_kept(frame("one") + frame("two") + frame("three"));
    EXPECT_EQ(peer.connections(), 1);
    EXPECT_NE(sent(*to, {"four"}, true), first) << "a new one where that is asked";
    await_kept(frame("one") + frame("two") + frame("three") + frame("four"));
    EXPECT_EQ(peer.connections(), 2);
}

TEST_F(LogServerTest, connection_that_ended_is_made_anew_and_has_another_number) {
    const Peer peer(loop, keeping());
    auto made = options(peer);
    made.settled_after = std::chrono::milliseconds(0);
    const auto to = server(std::move(made));
    const auto first = sent(*to, {"one"});
    loop.run_until([&] { return there.size() == 1; });
    there[0]->close();
    // Its end is seen between two calls, or by the write.
    std::int64_t next = first;
    loop.run_until([&] {
        loop.settle();
        if (auto answer = send(*to, {}, false)) next = answer->connection;
        return next != first;
    });
    EXPECT_EQ(peer.connections(), 2);
}

TEST_F(LogServerTest, one_that_ends_at_once_has_refused_us) {
    const Peer peer(loop, [this](std::shared_ptr<Transport> transport) -> async::Job {
        auto shaking = transport->handshake_as_server(context);
        const auto done = co_await std::move(shaking);
        transport->close();
        there.push_back(transport);
        EXPECT_TRUE(done);
    });
    const auto to = server(options(peer));
    (void)send(*to, {}, false);
    loop.run_until([&] {
        loop.settle();
        const auto answer = send(*to, {}, false);
        return !answer && answer.error().is(NetError::closed_by_peer);
    });
}

TEST_F(LogServerTest, only_a_trusted_server_of_that_name_is_told_anything) {
    const Peer peer(loop, keeping());
    auto other = options(peer);
    other.ca_pem = Authority().pem();
    expect_refused(*server(std::move(other)), NetError::certificate_untrusted);
    auto of_system = options(peer);
    of_system.ca_pem.clear();
    expect_refused(*server(std::move(of_system)), NetError::certificate_untrusted);
    resolver.table["other.example"] = {"127.0.0.1"};
    auto misnamed = options(peer);
    misnamed.host = "other.example";
    expect_refused(*server(std::move(misnamed)), NetError::certificate_wrong_name);
    auto broken = options(peer);
    broken.ca_pem = "no certificate";
    expect_refused(*server(std::move(broken)), NetError::invalid_certificate_file);
    EXPECT_EQ(kept, "");
}

TEST_F(LogServerTest, private_addresses_need_the_operators_word) {
    resolver.table["near.example"] = {"10.0.0.1"};
    const Peer peer(loop, keeping());
    auto near = options(peer);
    near.host = "near.example";
    expect_refused(*server(std::move(near)), NetError::refused_private_address);
}

TEST_F(LogServerTest, certificate_of_ours_is_shown_where_the_server_wants_one) {
    context = net::test::demanding_context(authority.issue({.name = "logs.example"}), authority);
    const Peer peer(loop, keeping());
    const auto issued = authority.issue({.name = "mail.example"});
    auto made = options(peer);
    made.certificate_pem = issued.certificate_pem;
    made.key_pem = Secret::copy_of(as_bytes(issued.key_pem));
    const auto to = server(std::move(made));
    EXPECT_NE(sent(*to, {"one"}), 0);
    await_kept(frame("one"));
    // Under TLS 1.3 the refusal comes after the handshake.
    const auto without = server(options(peer));
    loop.run_until([&] {
        loop.settle();
        return !send(*without, {}, false).has_value();
    });
    EXPECT_EQ(kept, frame("one"));
}

TEST_F(LogServerTest, one_that_hangs_ends_the_wait) {
    std::vector<std::shared_ptr<Transport>> silent;
    const Peer peer(loop, [&](std::shared_ptr<Transport> transport) -> async::Job {
        silent.push_back(std::move(transport));
        co_return;
    });
    const auto to = server(options(peer));
    std::optional<Result<SendSyslog::Answer>> first;
    loop.start(to->send({}), first);
    loop.settle();
    const auto second = send(*to, {}, false);
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().is(ipc::IpcError::busy));
    loop.run_until([&] { return first.has_value(); });
    EXPECT_TRUE(first->error().is(NetError::timed_out)) << first->error().code();
}

TEST_F(LogServerTest, what_is_no_message_is_not_sent) {
    const Peer peer(loop, keeping());
    const auto to = server(options(peer));
    for (const auto& texts : {std::vector<std::string>{"one", "two\nthree"},
                              std::vector<std::string>(k_messages_max + 1, "one")}) {
        const auto answer = send(*to, texts, false);
        ASSERT_FALSE(answer);
        EXPECT_TRUE(answer.error().is(ipc::IpcError::malformed));
    }
    EXPECT_EQ(peer.connections(), 0);
}

}  // namespace
}  // namespace postern::syslog
