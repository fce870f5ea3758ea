#include "platform/net/stream.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/net/connector.h"
#include "platform/net/net_error.h"
#include "platform/net/test_certificates.h"
#include "platform/net/test_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::net {
namespace {

using test::Authority;
using test::Loop;
using test::Peer;
using test::soon;
using test::TableResolver;

constexpr std::size_t k_big = 8UL * 1024 * 1024;

async::Job echo(std::shared_ptr<Transport> transport) {
    Bytes bytes(20000);
    while (true) {
        const auto got = co_await transport->read_some(bytes);
        if (!got || *got == 0) co_return;
        const auto sent = co_await transport->write_all(ByteView(bytes).first(*got));
        if (!sent) co_return;
    }
}

/// Reads until the end; gives what came.
async::Task<std::string> read_to_end(Stream* stream) {
    std::string all;
    Bytes bytes(4096);
    while (true) {
        const auto got = co_await stream->read_some(bytes, soon());
        if (!got) co_return fail(got.error());
        if (*got == 0) co_return all;
        all += as_text(ByteView(bytes).first(*got));
    }
}

async::Task<std::size_t> read_some(Stream* stream, Deadline deadline) {
    Bytes bytes(100);
    const auto got = co_await stream->read_some(bytes, deadline);
    co_return got;
}

/// With true over TLS.
class StreamTest : public ::testing::TestWithParam<bool> {
protected:
    std::unique_ptr<Stream> connect(const Peer& peer) {
        resolver.table["localhost"] = {"127.0.0.1"};
        Connector connector(resolver, {.allow_private = {*Cidr::parse("127.0.0.1/32")}},
                            TlsContext::client().value());
        auto stream = loop.run(
            connector.connect({.host = "localhost",
                               .port = peer.port(),
                               .tls = GetParam() ? TlsMode::implicit : TlsMode::none,
                               .tls_options = {.ca_pem = authority.pem(), .server_name = {}}},
                              soon()));
        EXPECT_TRUE(stream);
        return std::move(stream).value();
    }
    /// A script behind a handshake where there is one.
    Peer::Script secured(Peer::Script script) {
        if (!GetParam()) return script;
        const auto context = test::server_context(authority.issue({}));
        return [context, script](std::shared_ptr<Transport> transport) -> async::Job {
            auto shaking = transport->handshake_as_server(context);
            const auto done = co_await std::move(shaking);
            if (done) co_await script(transport);
        };
    }

    Loop loop;
    TableResolver resolver;
    Authority authority;
};

async::Task<std::size_t> send_and_count_back(Stream* stream, async::TaskGroup* tasks) {
    const Bytes data(k_big, 'x');
    const auto write = [](Stream* to, ByteView bytes) -> async::Job {
        const auto sent = co_await to->write_all(bytes, soon());
        EXPECT_TRUE(sent);
    };
    tasks->spawn("write", write(stream, data));
    std::size_t total = 0;
    Bytes bytes(10000);
    while (total < data.size()) {
        const auto got = co_await stream->read_some(bytes, soon());
        if (!got || *got == 0) break;
        total += *got;
    }
    co_return total;
}

TEST_P(StreamTest, reading_and_writing_overlap_and_arrive_whole) {
    const Peer peer(loop, secured(echo));
    const auto stream = connect(peer);
    const auto total = loop.run(send_and_count_back(stream.get(), &loop.tasks));
    EXPECT_EQ(total.value(), k_big);
    EXPECT_GE(stream->bytes_received(), k_big);
    EXPECT_GE(stream->bytes_sent(), k_big);
    EXPECT_EQ(stream->is_tls(), GetParam());
}

TEST_P(StreamTest, orderly_end_reads_as_zero_bytes) {
    const Peer peer(loop, secured([](std::shared_ptr<Transport> transport) -> async::Job {
                        const auto sent = co_await transport->write_all(as_bytes("bye\r\n"));
                        EXPECT_TRUE(sent);
                        transport->close();
                    }));
    const auto stream = connect(peer);
    EXPECT_EQ(loop.run(read_to_end(stream.get())).value(), "bye\r\n");
}

TEST_P(StreamTest, reset_is_an_error) {
    const Peer peer(loop, secured([](std::shared_ptr<Transport> transport) -> async::Job {
                        // Dissolving the association sends RST, not FIN.
                        const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
                        ::connect(transport->wire().descriptor, &nowhere, sizeof(nowhere));
                        co_return;
                    }));
    const auto stream = connect(peer);
    const auto end = loop.run(read_some(stream.get(), soon()));
    ASSERT_FALSE(end);
    EXPECT_TRUE(end.error().is(NetError::closed_by_peer)) << end.error().code();
}

TEST_P(StreamTest, read_that_timed_out_can_be_repeated_without_loss) {
    std::shared_ptr<Transport> server;
    const Peer peer(loop, secured([&server](std::shared_ptr<Transport> transport) -> async::Job {
                        server = std::move(transport);
                        co_return;
                    }));
    const auto stream = connect(peer);
    for (int i = 0; i < 3; ++i) {
        const auto late =
            loop.run(read_some(stream.get(), Deadline::in(std::chrono::milliseconds(5))));
        ASSERT_FALSE(late);
        EXPECT_TRUE(late.error().is(NetError::timed_out));
    }
    ASSERT_TRUE(server);
    loop.run(server->write_all(as_bytes("* 1 EXISTS\r\n"))).value();
    server->close();
    EXPECT_EQ(loop.run(read_to_end(stream.get())).value(), "* 1 EXISTS\r\n");
}

async::Task<std::size_t> read_until(Stream* stream, Deadline deadline) {
    Bytes bytes(1000);
    while (true) {
        auto got = co_await stream->read_some(bytes, deadline);
        if (!got) co_return got;
    }
}

async::Job flood(std::shared_ptr<Transport> transport) {
    const Bytes noise(64UL * 1024, 'x');
    while (true) {
        const auto sent = co_await transport->write_all(noise);
        if (!sent) co_return;
    }
}

TEST_P(StreamTest, deadline_holds_and_others_run_although_there_is_always_more) {
    const Peer peer(loop, secured(flood));
    const auto stream = connect(peer);
    int turns = 0;
    const auto take_turns = [](int* count) -> async::Job {
        while (true) {
            const auto waited =
                co_await async::wait_until(Deadline::in(std::chrono::milliseconds(1)));
            if (!waited) co_return;
            ++*count;
        }
    };
    async::TaskGroup others(loop.io.get_executor());
    others.spawn("turns", take_turns(&turns));
    const auto got =
        loop.run(read_until(stream.get(), Deadline::in(std::chrono::milliseconds(300))));
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().is(NetError::timed_out));
    EXPECT_GT(turns, 3);
    others.cancel();
    stream->close();
    loop.settle();
}

TEST_P(StreamTest, write_to_a_peer_that_does_not_read_times_out) {
    std::shared_ptr<Transport> server;
    const Peer peer(loop, secured([&server](std::shared_ptr<Transport> transport) -> async::Job {
                        server = std::move(transport);
                        co_return;
                    }));
    const auto stream = connect(peer);
    const Bytes data(64UL * 1024 * 1024, 'x');
    const auto written =
        loop.run(stream->write_all(data, Deadline::in(std::chrono::milliseconds(50))));
    ASSERT_FALSE(written);
    EXPECT_TRUE(written.error().is(NetError::timed_out));
}

TEST_P(StreamTest, cancel_ends_a_wait) {
    const Peer peer(loop, secured(echo));
    const auto stream = connect(peer);
    std::optional<Result<std::size_t>> outcome;
    loop.start(read_some(stream.get(), soon()), outcome);
    loop.settle();
    ASSERT_FALSE(outcome);
    stream->cancel();
    loop.run_until([&] { return outcome.has_value(); });
    ASSERT_FALSE(*outcome);
    EXPECT_TRUE(outcome->error().is(async::AsyncError::cancelled));
}

TEST_P(StreamTest, closed_stream_answers_with_an_error) {
    const Peer peer(loop, secured(echo));
    const auto stream = connect(peer);
    stream->close();
    stream->close();
    const auto got = loop.run(read_some(stream.get(), soon()));
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().is(NetError::closed_by_peer));
    const auto put = loop.run(stream->write_all(as_bytes("x"), soon()));
    ASSERT_FALSE(put);
    EXPECT_TRUE(put.error().is(NetError::closed_by_peer));
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, StreamTest, ::testing::Bool(), [](const auto& param) {
    return param.param ? "tls" : "plain";
});

using StreamTlsTest = StreamTest;
INSTANTIATE_TEST_SUITE_P(Tls, StreamTlsTest, ::testing::Values(true));
using StartTlsTest = StreamTest;
INSTANTIATE_TEST_SUITE_P(Plain, StartTlsTest, ::testing::Values(false));

TEST_P(StreamTlsTest, end_without_close_notify_is_truncation) {
    const Peer peer(loop, secured([](std::shared_ptr<Transport> transport) -> async::Job {
                        const auto sent = co_await transport->write_all(as_bytes("half a li"));
                        EXPECT_TRUE(sent);
                        ::shutdown(transport->wire().descriptor, SHUT_WR);
                        std::array<std::uint8_t, 8> bytes{};
                        const auto got = co_await transport->read_some(bytes);
                        static_cast<void>(got);
                    }));
    const auto stream = connect(peer);
    const auto all = loop.run(read_to_end(stream.get()));
    ASSERT_FALSE(all);
    EXPECT_TRUE(all.error().is(NetError::truncated)) << all.error().code();
}

/// Says "go ahead", then whatever is given, then shakes hands and echoes.
Peer::Script starttls_server(TlsContext context, std::string greeting) {
    return [context, greeting](std::shared_ptr<Transport> transport) -> async::Job {
        const auto sent = co_await transport->write_all(as_bytes(greeting));
        EXPECT_TRUE(sent);
        auto shaking = transport->handshake_as_server(context);
        const auto done = co_await std::move(shaking);
        if (done) co_await echo(transport);
    };
}

TEST_P(StartTlsTest, connection_is_upgraded_in_place) {
    const Peer peer(loop, starttls_server(test::server_context(authority.issue({})), "220 go\r\n"));
    const auto stream = connect(peer);
    EXPECT_EQ(loop.run(read_some(stream.get(), soon())).value(), 8U);
    const auto secured =
        loop.run(stream->start_tls({.ca_pem = authority.pem(), .server_name = {}}, 0, soon()));
    ASSERT_TRUE(secured) << secured.error().code();
    EXPECT_TRUE(stream->is_tls());
    loop.run(stream->write_all(as_bytes("EHLO"), soon())).value();
    EXPECT_EQ(loop.run(read_some(stream.get(), soon())).value(), 4U);
    EXPECT_FALSE(loop.run(stream->start_tls({}, 0, soon())));
}

TEST_P(StartTlsTest, wrong_certificates_are_refused_as_always) {
    const Peer peer(
        loop, starttls_server(test::server_context(authority.issue({.name = "other.example"})),
                              "220 go\r\n"));
    const auto stream = connect(peer);
    EXPECT_EQ(loop.run(read_some(stream.get(), soon())).value(), 8U);
    const auto secured =
        loop.run(stream->start_tls({.ca_pem = authority.pem(), .server_name = {}}, 0, soon()));
    ASSERT_FALSE(secured);
    EXPECT_TRUE(secured.error().is(NetError::certificate_wrong_name));
}

TEST_P(StartTlsTest, plaintext_behind_the_go_ahead_is_refused) {
    const Peer peer(loop, starttls_server(test::server_context(authority.issue({})),
                                          std::string(100, 'a') + "250 injected\r\n"));
    const auto stream = connect(peer);
    // 100 bytes are read; the injected line still lies in the socket.
    EXPECT_EQ(loop.run(read_some(stream.get(), soon())).value(), 100U);
    const TlsOptions options{.ca_pem = authority.pem(), .server_name = {}};
    const auto in_socket = loop.run(stream->start_tls(options, 0, soon()));
    ASSERT_FALSE(in_socket);
    EXPECT_TRUE(in_socket.error().is(NetError::plaintext_before_tls));
    EXPECT_EQ(loop.run(read_some(stream.get(), soon())).value(), 14U);
    const auto in_buffer = loop.run(stream->start_tls(options, 14, soon()));
    ASSERT_FALSE(in_buffer);
    EXPECT_TRUE(in_buffer.error().is(NetError::plaintext_before_tls));
}

}  // namespace
}  // namespace postern::net
