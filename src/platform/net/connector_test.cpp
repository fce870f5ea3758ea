#include "platform/net/connector.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"
#include "platform/net/test_certificates.h"
#include "platform/net/test_loop.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace postern::net {
namespace {

using test::Authority;
using test::Loop;
using test::Peer;
using test::soon;
using test::TableResolver;

EgressPolicy loopback_allowed() {
    return {.allow_private = {*Cidr::parse("127.0.0.0/8"), *Cidr::parse("::1/128")}};
}

async::Job stay(std::shared_ptr<Transport> transport) {
    std::array<std::uint8_t, 64> bytes{};
    const auto got = co_await transport->read_some(bytes);
    static_cast<void>(got);
}

class ConnectorTest : public ::testing::Test {
protected:
    Result<std::unique_ptr<Stream>> connect(Destination to,
                                            EgressPolicy policy = loopback_allowed()) {
        Connector connector(resolver, std::move(policy), TlsContext::client().value());
        return loop.run(connector.connect(std::move(to), soon()));
    }
    Destination plain(std::string host, std::uint16_t port) {
        return {.host = std::move(host), .port = port, .tls = TlsMode::none, .tls_options = {}};
    }

    Loop loop;
    TableResolver resolver;
};

TEST_F(ConnectorTest, literal_and_name_connect_where_allowed) {
    const Peer peer(loop, stay);
    resolver.table["mail.example"] = {"127.0.0.1"};
    for (const char* host : {"127.0.0.1", "mail.example", "::ffff:127.0.0.1"}) {
        const auto stream = connect(plain(host, peer.port()));
        ASSERT_TRUE(stream) << host << stream.error().code();
        EXPECT_EQ((*stream)->peer().address.text(), "127.0.0.1");
        EXPECT_EQ((*stream)->peer().port, peer.port());
        EXPECT_FALSE((*stream)->is_tls());
    }
    EXPECT_EQ(resolver.asked, 1);
}

TEST_F(ConnectorTest, brackets_around_an_ipv6_literal_are_understood) {
    const Peer peer(loop, stay, "::1");
    EXPECT_TRUE(connect(plain("[::1]", peer.port())));
}

TEST_F(ConnectorTest, private_addresses_are_refused_before_any_connection) {
    const Peer peer(loop, stay);
    resolver.table["localhost"] = resolver.table["localhost."] = {"127.0.0.1", "::1"};
    resolver.table["rebound.example"] = {"127.0.0.1"};
    resolver.table["metadata.example"] = {"169.254.169.254"};
    resolver.table["nat64.example"] = {"64:ff9b::7f00:1"};
    for (const char* host :
         {"127.0.0.1", "0.0.0.0", "169.254.169.254", "10.0.0.1", "[::1]", "::1", "[::]",
          "[::ffff:127.0.0.1]", "::ffff:7f00:1", "fe80::1", "64:ff9b::7f00:1",
          "2002:7f00:1::", "::127.0.0.1", "localhost", "localhost.", "rebound.example",
          "metadata.example", "nat64.example"}) {
        const auto stream = connect(plain(host, peer.port()), EgressPolicy{});
        ASSERT_FALSE(stream) << host;
        EXPECT_TRUE(stream.error().is(NetError::refused_private_address)) << host;
    }
    loop.settle();
    EXPECT_EQ(peer.connections(), 0);
}

TEST_F(ConnectorTest, odd_hosts_are_neither_resolved_nor_connected) {
    for (const char* host :
         {"", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "127.0.0.1.",
          "127.0.0.0x1", "127.0.0.01", "fe80::1%lo", "[fe80::1%25lo]", "[127.0.0.1", "a b",
          "user@127.0.0.1", "127.0.0.1:80", "127.0.0.1/", "%31", "b\xc3\xbc.example", "[]"}) {
        const auto stream = connect(plain(host, 25));
        ASSERT_FALSE(stream) << host;
        EXPECT_TRUE(stream.error().is(NetError::invalid_host)) << host;
    }
    EXPECT_EQ(resolver.asked, 0);
}

TEST_F(ConnectorTest, name_is_resolved_once_and_refused_addresses_are_left_out) {
    const Peer peer(loop, stay);
    resolver.table["mixed.example"] = {"10.0.0.1", "::1", "127.0.0.1"};
    const EgressPolicy policy{.allow_private = {*Cidr::parse("127.0.0.1/32")}};
    const auto stream = connect(plain("mixed.example", peer.port()), policy);
    ASSERT_TRUE(stream);
    EXPECT_EQ((*stream)->peer().address.text(), "127.0.0.1");
    EXPECT_EQ(resolver.asked, 1);
}

TEST_F(ConnectorTest, next_address_is_tried_when_one_refuses) {
    const Peer peer(loop, stay);
    resolver.table["many.example"] = {"127.0.0.9", "::1", "127.0.0.1"};
    const auto stream = connect(plain("many.example", peer.port()));
    ASSERT_TRUE(stream);
    EXPECT_EQ((*stream)->peer().address.text(), "127.0.0.1");
}

TEST_F(ConnectorTest, failures_are_told_apart) {
    std::uint16_t closed_port = 0;
    {
        const Peer gone(loop, stay);
        closed_port = gone.port();
    }
    loop.settle();
    const auto refused = connect(plain("127.0.0.1", closed_port));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(NetError::connection_refused));
    const auto unknown = connect(plain("nobody.example", 25));
    ASSERT_FALSE(unknown);
    EXPECT_TRUE(unknown.error().is(NetError::name_not_found));
}

TEST_F(ConnectorTest, silent_tls_server_times_out) {
    std::shared_ptr<Transport> silent;
    const Peer peer(loop, [&silent](std::shared_ptr<Transport> transport) -> async::Job {
        silent = std::move(transport);
        co_return;
    });
    Connector connector(resolver, loopback_allowed(), TlsContext::client().value());
    const auto stream = loop.run(connector.connect(
        {.host = "127.0.0.1", .port = peer.port(), .tls = TlsMode::implicit, .tls_options = {}},
        Deadline::in(std::chrono::milliseconds(30))));
    ASSERT_FALSE(stream);
    EXPECT_TRUE(stream.error().is(NetError::timed_out));
}

class ConnectorTlsTest : public ConnectorTest {
protected:
    /// What connecting to a server with this certificate gives.
    Result<std::unique_ptr<Stream>> connect_tls(const TlsContext& context, TlsOptions options) {
        const Peer peer(loop, [context](std::shared_ptr<Transport> transport) -> async::Job {
            auto shaking = transport->handshake_as_server(context);
            const auto done = co_await std::move(shaking);
            if (done) co_await stay(transport);
        });
        resolver.table["mail.example"] = {"127.0.0.1"};
        return connect({.host = host,
                        .port = peer.port(),
                        .tls = TlsMode::implicit,
                        .tls_options = std::move(options)});
    }
    Result<std::unique_ptr<Stream>> connect_tls(const Authority::Wish& wish, TlsOptions options) {
        return connect_tls(test::server_context(authority.issue(wish)), std::move(options));
    }
    TlsOptions pinned() { return {.ca_pem = authority.pem(), .server_name = {}}; }

    Authority authority;
    std::string host = "mail.example";
};

TEST_F(ConnectorTlsTest, pinned_authority_is_trusted) {
    const auto stream = connect_tls({.name = "mail.example"}, pinned());
    ASSERT_TRUE(stream) << stream.error().code() << stream.error().detail();
    EXPECT_EQ((*stream)->peer().tls_version, "TLSv1.3");
    EXPECT_FALSE((*stream)->peer().cipher.empty());
}

TEST_F(ConnectorTlsTest, names_that_match) {
    host = "mail.brand.example";
    resolver.table[host] = {"127.0.0.1"};
    EXPECT_TRUE(connect_tls({.name = "*.brand.example"}, pinned()));
    host = "mail.example.";
    resolver.table[host] = {"127.0.0.1"};
    EXPECT_TRUE(connect_tls({.name = "mail.example"}, pinned()));
    host = "127.0.0.1";
    EXPECT_TRUE(connect_tls({.name = "IP:127.0.0.1"}, pinned()));
    auto options = pinned();
    options.server_name = "other.example";
    EXPECT_TRUE(connect_tls({.name = "other.example"}, options));
}

TEST_F(ConnectorTlsTest, wrong_names_are_refused) {
    for (const char* name : {"other.example", "*.mail.example", "*.example", "example",
                             "m*.example", "IP:127.0.0.1", "mail.example.evil.test"}) {
        const auto stream = connect_tls({.name = name}, pinned());
        ASSERT_FALSE(stream) << name;
        EXPECT_TRUE(stream.error().is(NetError::certificate_wrong_name)) << name;
    }
    host = "127.0.0.1";
    for (const char* name : {"IP:127.0.0.2", "mail.example"}) {
        const auto stream = connect_tls({.name = name}, pinned());
        ASSERT_FALSE(stream) << name;
        EXPECT_TRUE(stream.error().is(NetError::certificate_wrong_name)) << name;
    }
}

TEST_F(ConnectorTlsTest, certificates_out_of_their_time_are_refused) {
    for (const auto& wish : {Authority::Wish{"mail.example", -7200, -3600},
                             Authority::Wish{"mail.example", 3600, 7200}}) {
        const auto stream = connect_tls(wish, pinned());
        ASSERT_FALSE(stream);
        EXPECT_TRUE(stream.error().is(NetError::certificate_expired)) << stream.error().code();
    }
}

TEST_F(ConnectorTlsTest, untrusted_authorities_are_refused) {
    const auto by_system = connect_tls({.name = "mail.example"}, {});
    ASSERT_FALSE(by_system);
    EXPECT_TRUE(by_system.error().is(NetError::certificate_untrusted));
    const Authority other;
    const auto by_pin =
        connect_tls({.name = "mail.example"}, {.ca_pem = other.pem(), .server_name = {}});
    ASSERT_FALSE(by_pin);
    EXPECT_TRUE(by_pin.error().is(NetError::certificate_untrusted));
}

TEST_F(ConnectorTlsTest, servers_own_certificate_can_be_pinned) {
    const auto issued = authority.issue({.name = "mail.example"});
    EXPECT_TRUE(connect_tls(test::server_context(issued),
                            {.ca_pem = issued.certificate_pem, .server_name = {}}));
}

TEST_F(ConnectorTlsTest, unreadable_pin_is_an_error_not_the_systems_trust) {
    const auto stream = connect_tls({.name = "mail.example"}, {.ca_pem = "", .server_name = {}});
    ASSERT_FALSE(stream);
    EXPECT_TRUE(stream.error().is(NetError::invalid_certificate_file));
}

TEST_F(ConnectorTlsTest, old_protocol_versions_are_refused) {
    const auto context = test::server_context(authority.issue({.name = "mail.example"}));
    SSL_CTX_set_min_proto_version(context.native(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.native(), TLS1_1_VERSION);
    const auto stream = connect_tls(context, pinned());
    ASSERT_FALSE(stream);
    EXPECT_TRUE(stream.error().is(NetError::tls_failed)) << stream.error().code();
}

TEST_F(ConnectorTlsTest, tls_1_2_is_enough) {
    const auto context = test::server_context(authority.issue({.name = "mail.example"}));
    SSL_CTX_set_max_proto_version(context.native(), TLS1_2_VERSION);
    const auto stream = connect_tls(context, pinned());
    ASSERT_TRUE(stream);
    EXPECT_EQ((*stream)->peer().tls_version, "TLSv1.2");
}

TEST_F(ConnectorTlsTest, port_that_speaks_no_tls_is_told) {
    const Peer peer(loop, [](std::shared_ptr<Transport> transport) -> async::Job {
        const auto sent = co_await transport->write_all(as_bytes("* OK ready\r\n"));
        if (sent) co_await stay(transport);
    });
    const auto stream = connect(
        {.host = "127.0.0.1", .port = peer.port(), .tls = TlsMode::implicit, .tls_options = {}});
    ASSERT_FALSE(stream);
    EXPECT_TRUE(stream.error().is(NetError::tls_failed));
}

}  // namespace
}  // namespace postern::net
