#include "platform/net/dns/dns_client.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/limits.h"
#include "foundation/codec/dns/message.h"
#include "foundation/codec/dns/packet_test.h"
#include "platform/async/task.h"
#include "platform/net/ip_address.h"
#include "platform/net/net_error.h"
#include "platform/net/test_loop.h"
#include "platform/net/transport.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace postern::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::udp;
using dns::test::domain;
using dns::test::Packet;

const dns::Question k_question{domain("_imaps._tcp.brand.example"), dns::RecordType::srv};

Bytes answer(std::uint16_t id, const std::string& target, std::size_t flags = 0x8180) {
    Packet packet;
    packet.head(id, k_question, 1, flags).pointer(12).srv({0, 0, 993, domain(target)});
    return packet.bytes();
}

/// A name server on loopback: for each query the packets that its script makes of the query's id.
class FakeNameServer {
public:
    using Script = std::function<std::vector<Bytes>(std::uint16_t id)>;

    FakeNameServer(test::Loop& loop, Script script, std::uint16_t port = 0)
        : state_(std::make_shared<State>(loop, std::move(script), port)) {
        loop.tasks.spawn("name_server", serve(state_));
    }
    ~FakeNameServer() { state_->socket.close(); }
    FakeNameServer(const FakeNameServer&) = delete;
    FakeNameServer& operator=(const FakeNameServer&) = delete;

    [[nodiscard]] NameServer address() const {
        return {IpAddress::v4({127, 0, 0, 1}), state_->socket.local_endpoint().port()};
    }
    [[nodiscard]] const std::vector<Bytes>& queries() const { return state_->queries; }
    [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return state_->ports; }

private:
    struct State {
        State(test::Loop& loop, Script play, std::uint16_t port)
            : socket(loop.io, udp::endpoint(asio::ip::address_v4::loopback(), port)),
              script(std::move(play)) {}
        udp::socket socket;
        Script script;
        std::vector<Bytes> queries;
        std::vector<std::uint16_t> ports;
    };
    static async::Job serve(std::shared_ptr<State> state) {
        std::array<std::uint8_t, 512> query{};
        while (true) {
            udp::endpoint from;
            const auto [error, got] = co_await state->socket.async_receive_from(
                asio::buffer(query), from, asio::as_tuple(asio::use_awaitable));
            if (error) co_return;
            state->queries.emplace_back(query.begin(),
                                        query.begin() + static_cast<std::ptrdiff_t>(got));
            state->ports.push_back(from.port());
            const auto id = static_cast<std::uint16_t>((query[0] << 8U) | query[1]);
            for (const auto& packet : state->script(id))
                state->socket.send_to(asio::buffer(packet), from);
        }
    }

    std::shared_ptr<State> state_;
};

/// `told` is the length that stands before the answer; 0: its own.
async::Job answer_over_tcp(std::shared_ptr<Transport> transport,
                           std::size_t told,
                           Bytes (*make)(std::uint16_t)) {
    std::array<std::uint8_t, 512> query{};
    const auto got = co_await transport->read_some(query);
    if (!got || *got < 4) co_return;
    const auto body = make(static_cast<std::uint16_t>((query[2] << 8U) | query[3]));
    const auto size = told == 0 ? body.size() : told;
    Bytes out{static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
    out.insert(out.end(), body.begin(), body.end());
    const auto put = co_await transport->write_all(out);
    static_cast<void>(put);
}

std::vector<Bytes> silence(std::uint16_t) {
    return {};
}

class DnsClientTest : public ::testing::Test {
protected:
    Result<dns::Answer> ask(std::vector<NameServer> servers,
                            std::chrono::milliseconds patience = 5s,
                            Deadline deadline = test::soon()) {
        DnsClient client({.servers = std::move(servers), .patience = patience, .rounds = 2});
        return loop.run(client.ask(k_question, deadline));
    }
    static std::string target(const Result<dns::Answer>& answer) {
        if (!answer) return "error " + std::string(answer.error().code());
        return answer->srv.empty() ? "none" : answer->srv.front().target.text();
    }

    test::Loop loop;
};

TEST_F(DnsClientTest, answer_is_taken_and_each_question_has_its_own_id_and_port) {
    const FakeNameServer server(loop, [](std::uint16_t id) {
        return std::vector<Bytes>{answer(id, "mail.brand.example")};
    });
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(target(ask({server.address()})), "mail.brand.example");
    ASSERT_EQ(server.queries().size(), 4U);
    EXPECT_EQ(server.queries()[0].size(), dns::encode_query(0, k_question).size());
    const auto same = [&](std::size_t i) {
        return server.ports()[i] == server.ports()[0] && server.queries()[i] == server.queries()[0];
    };
    EXPECT_FALSE(same(1) && same(2) && same(3));
}

TEST_F(DnsClientTest, strays_are_ignored_while_the_answer_is_waited_for) {
    const FakeNameServer server(loop, [](std::uint16_t id) {
        const auto other = static_cast<std::uint16_t>(id + 1);
        return std::vector<Bytes>{{},
                                  Bytes{1, 2, 3},
                                  answer(other, "evil.example"),
                                  Bytes(3000, 0x41),
                                  answer(id, "evil.example", 0x0180),
                                  answer(id, "mail.brand.example")};
    });
    EXPECT_EQ(target(ask({server.address()})), "mail.brand.example");
    EXPECT_EQ(server.queries().size(), 1U);
}

TEST_F(DnsClientTest, strays_without_end_are_given_up) {
    const FakeNameServer server(loop, [](std::uint16_t id) {
        return std::vector<Bytes>(100, answer(static_cast<std::uint16_t>(id + 1), "evil.example"));
    });
    EXPECT_EQ(target(ask({server.address()})), "error resolver_failed");
}

TEST_F(DnsClientTest, silent_broken_and_failing_servers_are_followed_by_the_next) {
    const FakeNameServer silent(loop, silence);
    const FakeNameServer failing(loop, [](std::uint16_t id) {
        return std::vector<Bytes>{Packet().head(id, k_question, 0, 0x8182).bytes()};
    });
    const FakeNameServer broken(loop, [](std::uint16_t id) {
        return std::vector<Bytes>{Packet().head(id, k_question, 5).bytes()};
    });
    const FakeNameServer good(loop, [](std::uint16_t id) {
        return std::vector<Bytes>{answer(id, "mail.brand.example")};
    });
    for (const auto* first : {&silent, &failing, &broken}) {
        EXPECT_EQ(target(ask({first->address(), good.address()}, 200ms)), "mail.brand.example");
        EXPECT_EQ(first->queries().size(), 1U);
    }
    NameServer closed;
    {
        const FakeNameServer gone(loop, silence);
        closed = gone.address();
    }
    EXPECT_EQ(target(ask({closed, good.address()})), "mail.brand.example");
}

TEST_F(DnsClientTest, silence_is_asked_again_and_then_given_up) {
    const FakeNameServer server(loop, silence);
    EXPECT_EQ(target(ask({server.address()}, 20ms)), "error timed_out");
    EXPECT_EQ(server.queries().size(), 2U);
    EXPECT_EQ(target(ask({server.address()}, 5s, Deadline::in(20ms))), "error timed_out");
    EXPECT_EQ(target(ask({})), "error resolver_failed");
}

TEST_F(DnsClientTest, answer_of_a_lost_first_question_is_no_answer_to_the_second) {
    std::vector<std::uint16_t> ids;
    const FakeNameServer server(loop, [&ids](std::uint16_t id) -> std::vector<Bytes> {
        ids.push_back(id);
        if (ids.size() == 1) return {};
        return {answer(ids[0], "late.example"), answer(id, "mail.brand.example")};
    });
    EXPECT_EQ(target(ask({server.address()}, 30ms)),
              ids.size() == 2 && ids[0] == ids[1] ? "late.example" : "mail.brand.example");
}

TEST_F(DnsClientTest, long_answer_is_asked_for_over_tcp) {
    const auto good = [](std::uint16_t id) { return answer(id, "long.brand.example"); };
    const auto still_truncated = [](std::uint16_t id) { return answer(id, "x", 0x8380); };
    const auto of_another = [](std::uint16_t id) {
        return answer(static_cast<std::uint16_t>(id + 1), "evil.example");
    };
    const struct {
        std::size_t told;
        Bytes (*make)(std::uint16_t);
        std::string expected;
    } rows[] = {{0, good, "long.brand.example"},
                {dns::k_tcp_bytes_max + 1, good, "error resolver_failed"},
                {900, good, "error resolver_failed"},
                {0, still_truncated, "error resolver_failed"},
                {0, of_another, "error resolver_failed"}};
    for (const auto& row : rows) {
        const auto script = [row](std::shared_ptr<Transport> transport) {
            return answer_over_tcp(std::move(transport), row.told, row.make);
        };
        const test::Peer tcp(loop, script);
        const FakeNameServer server(
            loop, [](std::uint16_t id) { return std::vector<Bytes>{answer(id, "x", 0x8380)}; },
            tcp.port());
        EXPECT_EQ(target(ask({server.address()})), row.expected) << row.told;
    }
}

TEST(NameServers, are_those_of_resolv_conf) {
    const auto texts = [](std::string_view text) {
        std::string out;
        for (const auto& server : name_servers_of(text))
            out += server.address.text() + ' ';
        return out;
    };
    EXPECT_EQ(texts("# x\nsearch a\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 # y\n"),
              "192.0.2.1 2001:db8::1 ");
    EXPECT_EQ(texts("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\n"
                    "nameserver 1.1.1.4\n"),
              "1.1.1.1 1.1.1.2 1.1.1.3 ");
    for (const auto* none : {"", "nameserver", "nameserver fe80::1%eth0", "nameservers 1.1.1.1",
                             "nameserver localhost", "#nameserver 1.1.1.1"})
        EXPECT_EQ(texts(none), "127.0.0.1 ") << none;
    EXPECT_FALSE(system_name_servers().empty());
}

}  // namespace
}  // namespace postern::net
