#include "platform/net/tls_context.h"

#include "foundation/base/result.h"
#include "platform/net/net_error.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

constexpr const char* k_debian_bundle = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::string_view k_alpn = "\x08http/1.1";

using Context = std::shared_ptr<SSL_CTX>;
using Certificate = std::unique_ptr<X509, decltype([](X509* x) { X509_free(x); })>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* k) { EVP_PKEY_free(k); })>;
using Memory = std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free(b); })>;

std::string openssl_reason() {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    return reason == nullptr ? "" : reason;
}

/// OpenSSL's own asks at the terminal for the passphrase of a PEM that is under one, and waits.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

Context make_context(const SSL_METHOD* method) {
    Context context(SSL_CTX_new(method), SSL_CTX_free);
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    // CLEANSE_PLAINTEXT: mail and credentials do not stay in OpenSSL's buffers.
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    return context;
}

Context make_client() {
    Context context = make_context(TLS_client_method());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    return context;
}

int choose_http_1_1(SSL*,
                    const unsigned char** chosen,
                    unsigned char* chosen_size,
                    const unsigned char* offered,
                    unsigned int offered_size,
                    void*) {
    unsigned char* match = nullptr;
    const auto found = SSL_select_next_proto(
        &match, chosen_size, reinterpret_cast<const unsigned char*>(k_alpn.data()),
        static_cast<unsigned int>(k_alpn.size()), offered, offered_size);
    *chosen = match;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Context make_server() {
    Context context = make_context(TLS_server_method());
    SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_alpn_select_cb(context.get(), choose_http_1_1, nullptr);
    return context;
}

Memory memory_of(std::string_view pem) {
    // Nothing at all is no memory for OpenSSL.
    const auto* data = pem.data() == nullptr ? "" : pem.data();
    Memory memory(BIO_new_mem_buf(data, static_cast<int>(pem.size())));
    if (!memory) throw std::bad_alloc();
    return memory;
}

}  // namespace

Result<TlsContext> TlsContext::client() {
    Context context = make_client();
    // Not all default paths in one call: that lists folders, which courier may not (getdents64).
    if (SSL_CTX_load_verify_file(context.get(), k_debian_bundle) != 1 &&
        (SSL_CTX_set_default_verify_file(context.get()) != 1 ||
         SSL_CTX_set_default_verify_dir(context.get()) != 1)) {
        return fail(NetError::invalid_certificate_file, openssl_reason());
    }
    ERR_clear_error();
    return TlsContext(std::move(context));
}

Result<TlsContext> TlsContext::client_pinned(std::string_view ca_pem) {
    if (ca_pem.size() > k_pinned_pem_bytes_max) return fail(NetError::invalid_certificate_file);
    ERR_clear_error();
    Context context = make_client();
    X509_STORE* store = SSL_CTX_get_cert_store(context.get());
    // A pinned certificate is an anchor even where it is not self-signed.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    const Memory pem = memory_of(ca_pem);
    std::size_t count = 0;
    while (const Certificate one{PEM_read_bio_X509(pem.get(), nullptr, no_passphrase, nullptr)}) {
        if (++count > k_pinned_certificates_max || X509_STORE_add_cert(store, one.get()) != 1) {
            return fail(NetError::invalid_certificate_file, openssl_reason());
        }
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (count == 0 || !at_end) return fail(NetError::invalid_certificate_file, openssl_reason());
    ERR_clear_error();
    return TlsContext(std::move(context));
}

TlsContext TlsContext::client_trusting_like(const TlsContext& other) {
    Context context = make_client();
    SSL_CTX_set1_cert_store(context.get(), SSL_CTX_get_cert_store(other.native()));
    return TlsContext(std::move(context));
}

Result<TlsContext> TlsContext::showing(std::string_view chain_pem, std::string_view key_pem) const {
    if (chain_pem.size() > k_pinned_pem_bytes_max || key_pem.size() > k_pinned_pem_bytes_max) {
        return fail(NetError::invalid_certificate_file);
    }
    ERR_clear_error();
    auto shown = client_trusting_like(*this);
    auto* context = shown.native();
    const Memory chain = memory_of(chain_pem);
    const Memory key_memory = memory_of(key_pem);
    std::size_t count = 0;
    while (const Certificate one{PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr)}) {
        const bool is_used = count == 0 ? SSL_CTX_use_certificate(context, one.get()) == 1
                                        : SSL_CTX_add1_chain_cert(context, one.get()) == 1;
        if (++count > k_pinned_certificates_max || !is_used) {
            return fail(NetError::invalid_certificate_file, openssl_reason());
        }
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    const PrivateKey key(
        PEM_read_bio_PrivateKey(key_memory.get(), nullptr, no_passphrase, nullptr));
    if (count == 0 || !at_end || !key || SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return fail(NetError::invalid_certificate_file, openssl_reason());
    }
    return shown;
}

Result<TlsContext> TlsContext::server(const std::string& certificate_file,
                                      const std::string& key_file) {
    Context context = make_server();
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
        return fail(NetError::invalid_certificate_file, openssl_reason());
    }
    return TlsContext(std::move(context));
}

Result<TlsContext> TlsContext::server_from_pem(std::string_view certificate_pem,
                                               std::string_view key_pem) {
    Context context = make_server();
    ERR_clear_error();
    const Memory certificate_memory = memory_of(certificate_pem);
    const Memory key_memory = memory_of(key_pem);
    const Certificate certificate(
        PEM_read_bio_X509(certificate_memory.get(), nullptr, no_passphrase, nullptr));
    const PrivateKey key(
        PEM_read_bio_PrivateKey(key_memory.get(), nullptr, no_passphrase, nullptr));
    if (!certificate || !key || SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
        return fail(NetError::invalid_certificate_file, openssl_reason());
    }
    return TlsContext(std::move(context));
}

}  // namespace postern::net
