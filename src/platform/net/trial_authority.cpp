#include "platform/net/trial_authority.h"

#include "foundation/base/check.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace postern::net {
namespace {

using Pkey = std::shared_ptr<EVP_PKEY>;
using Cert = std::shared_ptr<X509>;

Pkey make_key() {
    Pkey key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    POSTERN_CHECK(key != nullptr);
    return key;
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    POSTERN_CHECK(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

Cert make_certificate(EVP_PKEY* key, const std::string& common_name, long from_s, long until_s) {
    static std::atomic<long> serial{1};
    Cert certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509_set_pubkey(certificate.get(), key);
    return certificate;
}

template <typename F>
std::string to_pem(F write) {
    BIO* memory = BIO_new(BIO_s_mem());
    write(memory);
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string pem(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    return pem;
}

std::string certificate_pem(X509* certificate) {
    return to_pem([&](BIO* to) { PEM_write_bio_X509(to, certificate); });
}

}  // namespace

TrialAuthority::TrialAuthority() : key_(make_key()) {
    certificate_ = make_certificate(key_.get(), "Postern trial authority", -86400, 86400);
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints,
                  "critical,CA:TRUE");
    add_extension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign");
    POSTERN_CHECK(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
    pem_ = certificate_pem(certificate_.get());
}

TrialAuthority::Issued TrialAuthority::issue(const Wish& wish) const {
    const Pkey key = make_key();
    const Cert certificate =
        make_certificate(key.get(), "Postern trial", wish.valid_from_s, wish.valid_until_s);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
    const bool is_address = wish.name.starts_with("IP:");
    add_extension(certificate.get(), certificate_.get(), NID_subject_alt_name,
                  is_address ? wish.name : "DNS:" + wish.name);
    add_extension(certificate.get(), certificate_.get(), NID_basic_constraints,
                  "critical,CA:FALSE");
    POSTERN_CHECK(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0);
    return {.certificate_pem = certificate_pem(certificate.get()),
            .key_pem = to_pem([&](BIO* to) {
                PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

}  // namespace postern::net
