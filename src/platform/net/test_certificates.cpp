#include "platform/net/test_certificates.h"

#include "foundation/base/check.h"

#include <openssl/ssl.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <system_error>

namespace postern::net::test {

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "postern-net-XXXXXX").string();
    POSTERN_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& content) const {
    const auto path = path_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
}

TlsContext server_context(const Authority::Issued& issued) {
    auto context = TlsContext::server_from_pem(issued.certificate_pem, issued.key_pem);
    POSTERN_CHECK(context.has_value());
    return *context;
}

TlsContext demanding_context(const Authority::Issued& issued, const Authority& clients) {
    auto context = server_context(issued);
    SSL_CTX_set_verify(context.native(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
    const auto trust = TlsContext::client_pinned(clients.pem()).value();
    SSL_CTX_set1_cert_store(context.native(), SSL_CTX_get_cert_store(trust.native()));
    return context;
}

}  // namespace postern::net::test
