#include "platform/net/tls_trial.h"

#include "foundation/base/result.h"
#include "platform/net/net_error.h"
#include "platform/net/tls_context.h"
#include "platform/net/transport.h"
#include "platform/net/trial_authority.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

constexpr const char* k_host = "mail.trial.example";
constexpr int k_rounds_max = 20;
constexpr long k_day_s = 86'400;

using Certificate = std::unique_ptr<X509, decltype([](X509* x) { X509_free(x); })>;
using Memory = std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free(b); })>;
using Session = std::unique_ptr<SSL, decltype([](SSL* s) { SSL_free(s); })>;

Session session_of(SSL_CTX* context) {
    Session session(SSL_new(context));
    if (!session) throw std::bad_alloc();
    return session;
}

/// TLS 1.1 is below what OpenSSL's default security level speaks at all.
void allow_only(SSL* session, int least, int most) {
    if (most < TLS1_2_VERSION) SSL_set_security_level(session, 0);
    SSL_set_min_proto_version(session, least);
    SSL_set_max_proto_version(session, most);
}

void join(SSL* client, SSL* server) {
    BIO* client_end = nullptr;
    BIO* server_end = nullptr;
    if (BIO_new_bio_pair(&client_end, 0, &server_end, 0) != 1) throw std::bad_alloc();
    SSL_set_bio(client, client_end, client_end);
    SSL_set_bio(server, server_end, server_end);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
}

bool goes_on(SSL* session) {
    ERR_clear_error();
    const int done = SSL_do_handshake(session);
    if (done == 1) return true;
    const int reason = SSL_get_error(session, done);
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
}

/// Whether both come to speak with one another.
bool agree(SSL* client, SSL* server) {
    join(client, server);
    for (int round = 0; round < k_rounds_max; ++round) {
        if (!goes_on(client) || !goes_on(server)) break;
        if (SSL_is_init_finished(client) == 1 && SSL_is_init_finished(server) == 1) {
            ERR_clear_error();
            return true;
        }
    }
    ERR_clear_error();
    return false;
}

TrialAuthority::Issued certificate_for(TlsOffer offer,
                                       const TrialAuthority& trusted,
                                       const TrialAuthority& other) {
    TrialAuthority::Wish wish{.name = k_host};
    if (offer == TlsOffer::other_name) wish.name = "mail.other.example";
    if (offer == TlsOffer::expired) {
        wish.valid_from_s = -2 * k_day_s;
        wish.valid_until_s = -k_day_s;
    }
    return (offer == TlsOffer::other_authority ? other : trusted).issue(wish);
}

/// What an ordinary connection trusts, and that authority: a good server of the trial's is taken,
/// so that one which is refused is refused for what is wrong with it.
Result<TlsContext> ordinary_trusting(const TrialAuthority& authority) {
    POSTERN_TRY(auto context, TlsContext::client());
    const Memory pem(
        BIO_new_mem_buf(authority.pem().data(), static_cast<int>(authority.pem().size())));
    if (!pem) throw std::bad_alloc();
    const Certificate certificate(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
    auto* store = SSL_CTX_get_cert_store(context.native());
    if (!certificate || X509_STORE_add_cert(store, certificate.get()) != 1) {
        ERR_clear_error();
        return fail(NetError::invalid_certificate_file);
    }
    return context;
}

}  // namespace

TlsTrial::TlsTrial() : ordinary_(ordinary_trusting(trusted_)) {}

std::string_view name_of(TlsClient client) {
    switch (client) {
        case TlsClient::pinned: return "a client that trusts a named authority";
        case TlsClient::ordinary: return "a client as for ordinary mailboxes";
        case TlsClient::careless: return "a careless client";
    }
    return "";
}

std::string_view name_of(TlsOffer offer) {
    switch (offer) {
        case TlsOffer::tls_1_3: return "TLS 1.3";
        case TlsOffer::tls_1_2: return "TLS 1.2";
        case TlsOffer::tls_1_1: return "TLS 1.1";
        case TlsOffer::other_authority: return "an untrusted authority's certificate";
        case TlsOffer::other_name: return "another host's certificate";
        case TlsOffer::expired: return "an expired certificate";
    }
    return "";
}

Result<bool> TlsTrial::accepts(TlsClient client, TlsOffer offer) const {
    const auto made =
        client == TlsClient::ordinary ? ordinary_ : TlsContext::client_pinned(trusted_.pem());
    if (!made) return fail(made.error());
    const auto& context = *made;
    const auto issued = certificate_for(offer, trusted_, other_);
    POSTERN_TRY(const auto peer,
                TlsContext::server_from_pem(issued.certificate_pem, issued.key_pem));
    const auto ours = session_of(context.native());
    const auto theirs = session_of(peer.native());
    const bool old = offer == TlsOffer::tls_1_1;
    const int only = old                          ? TLS1_1_VERSION
                     : offer == TlsOffer::tls_1_2 ? TLS1_2_VERSION
                                                  : TLS1_3_VERSION;
    allow_only(theirs.get(), only, only);
    if (auto expected = expect_server(ours.get(), k_host); !expected) {
        return fail(std::move(expected.error()));
    }
    if (client == TlsClient::careless) {
        SSL_set_verify(ours.get(), SSL_VERIFY_NONE, nullptr);
        if (old) allow_only(ours.get(), TLS1_VERSION, TLS1_1_VERSION);
    } else {
        // As lenient as it gets, so that what is refused is refused by what we set up.
        SSL_set_security_level(ours.get(), old ? 0 : SSL_get_security_level(ours.get()));
    }
    return agree(ours.get(), theirs.get());
}

Result<bool> TlsTrial::listener_accepts(bool old_client) const {
    const auto issued = trusted_.issue({.name = k_host});
    POSTERN_TRY(const auto listener,
                TlsContext::server_from_pem(issued.certificate_pem, issued.key_pem));
    POSTERN_TRY(const auto context, TlsContext::client_pinned(trusted_.pem()));
    const auto ours = session_of(listener.native());
    const auto theirs = session_of(context.native());
    if (auto expected = expect_server(theirs.get(), k_host); !expected) {
        return fail(std::move(expected.error()));
    }
    if (old_client) {
        allow_only(theirs.get(), TLS1_VERSION, TLS1_1_VERSION);
        SSL_set_security_level(ours.get(), 0);
    }
    return agree(theirs.get(), ours.get());
}

}  // namespace postern::net
