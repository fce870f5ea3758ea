#include "foundation/base/result.h"
#include "platform/net/http/test_client.h"
#include "platform/net/net_error.h"
#include "platform/net/test_certificates.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::net::http {
namespace {

using net::test::Authority;
using net::test::TemporaryFolder;
using test::Client;
using test::soon;
using test::status_of;
using test::TestServer;

class ServerTlsTest : public ::testing::Test {
protected:
    ServerTlsTest() {
        ServerOptions options;
        options.listen = {TestServer::loopback(true)};
        options.tls = issue("one");
        options.limits.tick = std::chrono::milliseconds(5);
        options.limits.head_time = std::chrono::milliseconds(2000);
        server = std::make_unique<TestServer>(std::move(options));
    }

    TlsFiles issue(const std::string& name) {
        const auto issued = authority.issue({.name = "localhost"});
        return {.certificate = folder.write(name + ".pem", issued.certificate_pem),
                .key = folder.write(name + ".key", issued.key_pem)};
    }
    TlsContext client_context() { return TlsContext::client_pinned(authority.pem()).value(); }
    /// Shakes hands and gives what one request gets.
    Result<std::string> get(Client& client, const TlsContext& context) {
        const auto done =
            server->loop.run(client.transport()->handshake_as_client(context, "localhost"));
        if (!done) return fail(done.error());
        return client.exchange("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }
    Result<std::string> get(const TlsContext& context) {
        auto client = server->client();
        return get(client, context);
    }

    Authority authority;
    TemporaryFolder folder;
    std::unique_ptr<TestServer> server;
};

TEST_F(ServerTlsTest, request_is_answered_under_tls_1_3_and_1_2) {
    const auto answer = get(client_context());
    ASSERT_TRUE(answer) << answer.error().code();
    EXPECT_TRUE(answer->ends_with("GET /x "));
    const auto old = client_context();
    SSL_CTX_set_max_proto_version(old.native(), TLS1_2_VERSION);
    EXPECT_TRUE(get(old));
}

TEST_F(ServerTlsTest, older_versions_are_refused) {
    const auto old = client_context();
    SSL_CTX_set_min_proto_version(old.native(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old.native(), TLS1_1_VERSION);
    EXPECT_FALSE(get(old));
}

TEST_F(ServerTlsTest, http_1_1_is_the_only_protocol_offered) {
    const auto with = [&](const std::string& protocols) {
        const auto context = client_context();
        SSL_CTX_set_alpn_protos(context.native(),
                                reinterpret_cast<const unsigned char*>(protocols.data()),
                                static_cast<unsigned>(protocols.size()));
        return context;
    };
    auto client = server->client();
    ASSERT_TRUE(get(client, with("\x02h2\x08http/1.1")));
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.transport()->tls(), &chosen, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
    EXPECT_FALSE(get(with("\x02h2")));
}

TEST_F(ServerTlsTest, plain_requests_and_rubbish_are_closed) {
    for (const char* bytes :
         {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
        EXPECT_EQ(server->exchange(bytes).find("HTTP/"), std::string::npos);
    }
    EXPECT_EQ(server->served, 0);
}

TEST_F(ServerTlsTest, silent_clients_are_dropped) {
    Limits limits;
    limits.head_time = std::chrono::milliseconds(20);
    limits.tick = std::chrono::milliseconds(5);
    ServerOptions options;
    options.limits = limits;
    options.listen = {TestServer::loopback(true)};
    options.tls = issue("two");
    TestServer impatient(std::move(options));
    EXPECT_EQ(impatient.exchange(""), "");
    EXPECT_EQ(impatient.exchange("\x16\x03\x01"), "");
}

TEST_F(ServerTlsTest, requests_know_that_they_are_secure) {
    bool secure = false;
    Handlers handlers;
    handlers.fast = [&secure](const Request& request) -> std::optional<Response> {
        secure = request.secure;
        return text_response(200, "x");
    };
    ServerOptions options;
    options.listen = {TestServer::loopback(true)};
    options.tls = issue("three");
    server = std::make_unique<TestServer>(std::move(options), std::move(handlers));
    EXPECT_TRUE(get(client_context()));
    EXPECT_TRUE(secure);
}

TEST_F(ServerTlsTest, reload_serves_the_new_certificate_and_a_bad_one_changes_nothing) {
    const auto serial = [&] {
        auto client = server->client();
        EXPECT_TRUE(get(client, client_context()));
        X509* shown = SSL_get1_peer_certificate(client.transport()->tls());
        const long number = ASN1_INTEGER_get(X509_get0_serialNumber(shown));
        X509_free(shown);
        return number;
    };
    const auto before = serial();
    auto bad = issue("bad");
    bad.key = issue("other").key;
    const auto refused = server->server->reload_tls(bad);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(NetError::invalid_certificate_file));
    EXPECT_EQ(serial(), before);
    ASSERT_TRUE(server->server->reload_tls(issue("new")));
    EXPECT_NE(serial(), before);
}

TEST_F(ServerTlsTest, large_bodies_pass_both_ways) {
    auto client = server->client();
    const auto done =
        server->loop.run(client.transport()->handshake_as_client(client_context(), "localhost"));
    ASSERT_TRUE(done);
    const std::string body(1'000'000, 'b');
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    EXPECT_TRUE(client.exchange(request).ends_with(" " + body));
}

}  // namespace
}  // namespace postern::net::http
