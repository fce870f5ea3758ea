// Oracle: what is taken has one certificate or more, at most as many as we allow; written as PEM by
// OpenSSL they are taken again, as the same ones; nobody is asked for a passphrase.
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/net/tls_context.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postern::net {
namespace {

using Memory = std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free(b); })>;

struct Trusted {
    int count = 0;
    std::string pem;
};

Trusted trusted_by(const TlsContext& context) {
    const Memory memory(BIO_new(BIO_s_mem()));
    Trusted trusted;
    const auto* all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.native()));
    for (int at = 0; at < sk_X509_OBJECT_num(all); ++at, ++trusted.count) {
        X509* const one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, at));
        POSTERN_CHECK(one != nullptr && PEM_write_bio_X509(memory.get(), one) == 1);
    }
    char* written = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &written);
    trusted.pem.assign(written, static_cast<std::size_t>(size));
    return trusted;
}

/// As PEM, so that bytes of a certificate can be changed one by one.
std::string armoured(ByteView der) {
    std::string base64(4 * (der.size() / 3 + 1) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), der.data(),
                                     static_cast<int>(der.size()));
    base64.resize(static_cast<std::size_t>(size));
    std::string pem = "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t at = 0; at < base64.size(); at += 64)
        pem.append(base64, at, 64).append("\n");
    return pem + "-----END CERTIFICATE-----\n";
}

}  // namespace
}  // namespace postern::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::net;
    postern::FuzzInput input(data, size);
    const bool is_der = !input.bytes().empty() && input.bytes().front() == 0x30;
    const auto pem = is_der ? armoured(input.bytes()) : std::string(input.text());
    const auto context = TlsContext::client_pinned(pem);
    if (!context) return 0;
    POSTERN_CHECK(pem.size() <= k_pinned_pem_bytes_max);
    const auto trusted = trusted_by(*context);
    POSTERN_CHECK(trusted.count >= 1);
    POSTERN_CHECK(trusted.count <= static_cast<int>(k_pinned_certificates_max));
    if (trusted.pem.size() > k_pinned_pem_bytes_max) return 0;
    const auto again = TlsContext::client_pinned(trusted.pem);
    POSTERN_CHECK(again.has_value());
    const auto same = trusted_by(*again);
    POSTERN_CHECK(same.count == trusted.count && same.pem == trusted.pem);
    return 0;
}
