#include "platform/net/dns/dns_client.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/dns_error.h"
#include "foundation/codec/dns/limits.h"
#include "foundation/codec/dns/message.h"
#include "foundation/crypto/random.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"
#include "platform/net/transport.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <ios>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t k_servers_max = 3;
constexpr std::size_t k_resolv_conf_bytes_max = 64 * 1024;
/// Packets that are no answer to us are ignored, but not without end.
constexpr int k_strays_max = 64;

std::uint16_t random_id() {
    std::array<std::uint8_t, 2> bytes{};
    crypto::fill_random(bytes);
    return static_cast<std::uint16_t>((bytes[0] << 8U) | bytes[1]);
}

Error failed(const boost::system::error_code& error) {
    if (error == asio::error::operation_aborted) return {async::AsyncError::cancelled};
    return {NetError::resolver_failed, error.message()};
}

Error failed(const Error& error) {
    return {NetError::resolver_failed, std::string(error.code())};
}

/// A fresh socket for each question: the kernel chooses a port at random, and a connected socket
/// hears nobody else.
async::Task<dns::Answer> over_udp(NameServer server, dns::Question question) {
    const auto executor = co_await asio::this_coro::executor;
    const asio::ip::udp::endpoint to(to_asio(server.address), server.port);
    asio::ip::udp::socket socket(executor);
    boost::system::error_code error;
    socket.open(to.protocol(), error);
    if (!error) socket.connect(to, error);
    if (error) co_return fail(failed(error));
    const auto id = random_id();
    const auto query = dns::encode_query(id, question);
    const auto [unsent, sent] =
        co_await socket.async_send(asio::buffer(query), asio::as_tuple(asio::use_awaitable));
    if (unsent || sent != query.size()) co_return fail(failed(unsent));
    // One byte more than may come: what fills it was cut.
    std::vector<std::uint8_t> buffer(dns::k_udp_bytes_max + 1);
    for (int strays = 0; strays < k_strays_max; ++strays) {
        const auto [lost, got] = co_await socket.async_receive(asio::buffer(buffer),
                                                               asio::as_tuple(asio::use_awaitable));
        if (lost) co_return fail(failed(lost));
        if (got == buffer.size()) continue;
        auto answer = dns::parse_answer(ByteView(buffer.data(), got), id, question);
        if (answer) co_return std::move(*answer);
        if (!answer.error().is(dns::DnsError::not_an_answer))
            co_return fail(failed(answer.error()));
    }
    co_return fail(NetError::resolver_failed, "strays only");
}

/// RFC 1035 section 4.2.2: each message behind its length.
async::Task<dns::Answer> over_tcp(NameServer server, dns::Question question) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::socket socket(executor);
    const asio::ip::tcp::endpoint to(to_asio(server.address), server.port);
    const auto [refused] = co_await socket.async_connect(to, asio::as_tuple(asio::use_awaitable));
    if (refused) co_return fail(failed(refused));
    const auto id = random_id();
    const auto query = dns::encode_query(id, question);
    std::vector<std::uint8_t> message{static_cast<std::uint8_t>(query.size() >> 8U),
                                      static_cast<std::uint8_t>(query.size())};
    message.insert(message.end(), query.begin(), query.end());
    const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(message),
                                                           asio::as_tuple(asio::use_awaitable));
    if (unsent) co_return fail(failed(unsent));
    std::array<std::uint8_t, 2> length{};
    const auto [no_length, length_got] = co_await asio::async_read(
        socket, asio::buffer(length), asio::as_tuple(asio::use_awaitable));
    if (no_length) co_return fail(failed(no_length));
    const auto size = (static_cast<std::size_t>(length[0]) << 8U) | length[1];
    if (size > dns::k_tcp_bytes_max) co_return fail(NetError::resolver_failed, "too long");
    message.resize(size);
    const auto [lost, got] = co_await asio::async_read(socket, asio::buffer(message),
                                                       asio::as_tuple(asio::use_awaitable));
    if (lost) co_return fail(failed(lost));
    auto answer = dns::parse_answer(ByteView(message.data(), got), id, question);
    if (!answer) co_return fail(failed(answer.error()));
    if (answer->truncated) co_return fail(NetError::resolver_failed, "truncated");
    co_return std::move(*answer);
}

}  // namespace

std::vector<NameServer> name_servers_of(std::string_view resolv_conf) {
    std::vector<NameServer> servers;
    std::istringstream lines{std::string(resolv_conf)};
    for (std::string line; std::getline(lines, line) && servers.size() < k_servers_max;) {
        std::istringstream words(line);
        std::string key;
        std::string address;
        if (!(words >> key >> address) || key != "nameserver") continue;
        if (const auto parsed = IpAddress::parse(address)) servers.push_back({.address = *parsed});
    }
    if (servers.empty()) servers.push_back({.address = IpAddress::v4({127, 0, 0, 1})});
    return servers;
}

std::vector<NameServer> system_name_servers() {
    std::ifstream file("/etc/resolv.conf");
    std::string text(k_resolv_conf_bytes_max, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return name_servers_of(text);
}

async::Task<dns::Answer> DnsClient::ask_one(NameServer server,
                                            dns::Question question,
                                            Deadline deadline) {
    auto asking = over_udp(server, question);
    auto waiting = async::with_deadline(deadline.at_most(options_.patience), std::move(asking));
    auto answer = co_await std::move(waiting);
    if (!answer || !answer->truncated) co_return answer;
    auto again = over_tcp(server, std::move(question));
    auto longer = async::with_deadline(deadline.at_most(options_.patience), std::move(again));
    co_return co_await std::move(longer);
}

async::Task<dns::Answer> DnsClient::ask(dns::Question question, Deadline deadline) {
    Error last(NetError::resolver_failed, "no name server");
    for (unsigned round = 0; round < options_.rounds; ++round) {
        for (const auto& server : options_.servers) {
            if (deadline.passed()) co_return fail(NetError::timed_out);
            auto asking = ask_one(server, question, deadline);
            auto answer = co_await std::move(asking);
            if (answer || answer.error().is(async::AsyncError::cancelled)) co_return answer;
            const bool late = answer.error().is(async::AsyncError::deadline_passed);
            last = late ? Error(NetError::timed_out) : answer.error();
        }
    }
    co_return fail(std::move(last));
}

}  // namespace postern::net
