#include "platform/net/tls_context.h"

#include "foundation/base/check.h"
#include "platform/net/net_error.h"
#include "platform/net/pinned_contexts.h"
#include "platform/net/test_certificates.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

using test::Authority;
using test::TemporaryFolder;

TEST(TlsContext, system_authorities_are_found) {
    EXPECT_TRUE(TlsContext::client());
}

TEST(TlsContext, what_trusts_alike_shares_certificates_and_nothing_else) {
    const Authority authority;
    const auto pinned = TlsContext::client_pinned(authority.pem());
    ASSERT_TRUE(pinned);
    const auto like = TlsContext::client_trusting_like(*pinned);
    EXPECT_EQ(SSL_CTX_get_cert_store(like.native()), SSL_CTX_get_cert_store(pinned->native()));
    SSL_CTX_set_min_proto_version(like.native(), TLS1_VERSION);
    SSL_CTX_set_verify(like.native(), SSL_VERIFY_NONE, nullptr);
    EXPECT_EQ(SSL_CTX_get_min_proto_version(pinned->native()), TLS1_2_VERSION);
    EXPECT_EQ(SSL_CTX_get_verify_mode(pinned->native()), SSL_VERIFY_PEER);
}

TEST(TlsContext, pinned_certificates_are_read) {
    const Authority one, two;
    EXPECT_TRUE(TlsContext::client_pinned(one.pem()));
    EXPECT_TRUE(TlsContext::client_pinned("a comment\n" + one.pem() + "\n" + two.pem() + "\n"));
}

TEST(TlsContext, unreadable_pins_are_refused) {
    const Authority authority;
    std::string broken = authority.pem();
    broken[broken.size() / 2] = '*';
    std::string many;
    for (std::size_t i = 0; i <= k_pinned_certificates_max; ++i)
        many += authority.pem();
    const auto key = authority.issue({}).key_pem;
    for (const std::string& pem :
         {std::string(), std::string("text"), broken, authority.pem() + broken, many, key,
          authority.pem().substr(0, authority.pem().size() - 30),
          std::string(k_pinned_pem_bytes_max, ' ') + authority.pem()}) {
        const auto context = TlsContext::client_pinned(pem);
        ASSERT_FALSE(context) << pem.substr(0, 80);
        EXPECT_TRUE(context.error().is(NetError::invalid_certificate_file));
    }
}

/// Standard input, with an answer to whoever asks.
class AnsweringInput {
public:
    AnsweringInput() : before_(::dup(STDIN_FILENO)) {
        std::array<int, 2> ends{};
        POSTERN_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
        POSTERN_CHECK(::dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
        POSTERN_CHECK(::write(ends[1], k_answer.data(), k_answer.size()) ==
                      static_cast<ssize_t>(k_answer.size()));
        ::close(ends[0]);
        ::close(ends[1]);
    }
    ~AnsweringInput() {
        ::dup2(before_, STDIN_FILENO);
        ::close(before_);
    }
    AnsweringInput(const AnsweringInput&) = delete;
    AnsweringInput& operator=(const AnsweringInput&) = delete;

    [[nodiscard]] static bool untouched() {
        int left = 0;
        POSTERN_CHECK(::ioctl(STDIN_FILENO, FIONREAD, &left) == 0);
        return left == static_cast<int>(k_answer.size());
    }

private:
    static constexpr std::string_view k_answer = "passphrase\npassphrase\n";
    int before_;
};

std::string under_a_passphrase(std::string pem) {
    pem.insert(pem.find('\n') + 1,
               "Proc-Type: 4,ENCRYPTED\n"
               "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n");
    return pem;
}

TEST(TlsContext, asks_nobody_for_the_passphrase_of_a_pem) {
    const Authority authority;
    const auto issued = authority.issue({});
    const TemporaryFolder folder;
    const auto certificate = folder.write("cert.pem", issued.certificate_pem);
    const auto key = folder.write("key.pem", under_a_passphrase(issued.key_pem));
    const AnsweringInput input;
    EXPECT_FALSE(TlsContext::client_pinned(under_a_passphrase(authority.pem())));
    EXPECT_TRUE(AnsweringInput::untouched());
    EXPECT_FALSE(TlsContext::server(certificate, key));
    EXPECT_TRUE(AnsweringInput::untouched());
    EXPECT_FALSE(
        TlsContext::server_from_pem(issued.certificate_pem, under_a_passphrase(issued.key_pem)));
    EXPECT_TRUE(AnsweringInput::untouched());
}

TEST(TlsContext, no_bytes_at_all_are_no_certificate) {
    EXPECT_FALSE(TlsContext::client_pinned(std::string_view()));
}

TEST(PinnedContexts, same_certificates_share_one_context) {
    const Authority one, two;
    PinnedContexts contexts;
    const auto first = contexts.get(one.pem());
    const auto again = contexts.get(one.pem());
    const auto other = contexts.get(two.pem());
    ASSERT_TRUE(first && again && other);
    EXPECT_EQ(first->native(), again->native());
    EXPECT_NE(first->native(), other->native());
    EXPECT_FALSE(contexts.get("text"));
    EXPECT_EQ(contexts.size(), 2U);
}

TEST(PinnedContexts, many_different_ones_are_not_kept) {
    const Authority authority;
    PinnedContexts contexts;
    const auto first = contexts.get(authority.pem());
    ASSERT_TRUE(first);
    for (std::size_t i = 0; i < 2 * PinnedContexts::k_entries_max; ++i)
        ASSERT_TRUE(contexts.get(authority.pem() + std::string(i + 1, '\n')));
    EXPECT_LE(contexts.size(), PinnedContexts::k_entries_max);
    EXPECT_NE(first->native(), nullptr);
}

TEST(TlsContext, server_files_must_belong_together) {
    const Authority authority;
    const TemporaryFolder folder;
    const auto one = authority.issue({}), other = authority.issue({});
    const auto certificate = folder.write("certificate.pem", one.certificate_pem);
    EXPECT_TRUE(TlsContext::server(certificate, folder.write("key.pem", one.key_pem)));
    for (const auto& key : {folder.write("other.pem", other.key_pem), folder.write("empty.pem", ""),
                            certificate, std::string("/nonexistent/key.pem")}) {
        const auto context = TlsContext::server(certificate, key);
        ASSERT_FALSE(context) << key;
        EXPECT_TRUE(context.error().is(NetError::invalid_certificate_file));
    }
}

TEST(TlsContext, client_certificate_and_key_must_belong_together) {
    const Authority authority;
    const auto one = authority.issue({}), other = authority.issue({});
    const auto trust = TlsContext::client_pinned(authority.pem()).value();
    EXPECT_TRUE(trust.showing(one.certificate_pem, one.key_pem));
    EXPECT_TRUE(trust.showing(one.certificate_pem + authority.pem(), one.key_pem));
    for (const auto& [chain, key] :
         {std::pair{one.certificate_pem, other.key_pem}, std::pair{std::string(), one.key_pem},
          std::pair{one.certificate_pem, std::string()}, std::pair{one.key_pem, one.key_pem},
          std::pair{one.certificate_pem + "-----BEGIN CERTIFICATE-----\n", one.key_pem},
          std::pair{std::string(k_pinned_pem_bytes_max + 1, '\n'), one.key_pem}}) {
        const auto context = trust.showing(chain, key);
        ASSERT_FALSE(context);
        EXPECT_TRUE(context.error().is(NetError::invalid_certificate_file));
    }
}

}  // namespace
}  // namespace postern::net
