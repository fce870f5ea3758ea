#include "platform/net/tls_context.h"

#include "platform/net/net_error.h"
#include "platform/net/pinned_contexts.h"
#include "platform/net/test_certificates.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>

namespace postern::net {
namespace {

using test::Authority;
using test::TemporaryFolder;

TEST(TlsContext, system_authorities_are_found) {
    EXPECT_TRUE(TlsContext::client());
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

}  // namespace
}  // namespace postern::net
