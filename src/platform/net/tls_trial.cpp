#include "platform/net/tls_trial.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/net/connector.h"
#include "platform/net/ip_address.h"
#include "platform/net/net_error.h"
#include "platform/net/pinned_contexts.h"
#include "platform/net/stream.h"
#include "platform/net/stream_parts.h"
#include "platform/net/tls_context.h"
#include "platform/net/transport.h"
#include "platform/net/trial_authority.h"
#include "platform/net/trial_wire.h"

#include <boost/asio/this_coro.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

constexpr const char* k_host = "mail.trial.example";
constexpr std::uint16_t k_port = 993;
constexpr long k_day_s = 86'400;

using Certificate = std::unique_ptr<X509, decltype([](X509* x) { X509_free(x); })>;
using Memory = std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free(b); })>;

/// Nothing in memory waits: this ends a trial that a bug keeps alive.
Deadline trial_deadline() {
    return Deadline::in(std::chrono::seconds(10));
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

/// Goes on where the certificate has that fault, and no other.
template <int... Errors>
int overlook(int good, X509_STORE_CTX* chain) {
    const int error = X509_STORE_CTX_get_error(chain);
    if (good != 0 || ((error != Errors) && ...)) return good;
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

/// What a client that overlooks this would have been set up with.
void plant(SSL_CTX* context, TlsOffer overlooked) {
    const auto verify_with = [context](SSL_verify_cb callback) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, callback);
    };
    switch (overlooked) {
        case TlsOffer::tls_1_3:
        case TlsOffer::tls_1_2:
        case TlsOffer::in_clear: return;
        case TlsOffer::tls_1_1: SSL_CTX_set_min_proto_version(context, TLS1_VERSION); return;
        case TlsOffer::other_authority:
            // Every trial authority has the same name.
            verify_with(
                overlook<X509_V_ERR_CERT_SIGNATURE_FAILURE,
                         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                         X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED>);
            return;
        case TlsOffer::other_name: verify_with(overlook<X509_V_ERR_HOSTNAME_MISMATCH>); return;
        case TlsOffer::expired: verify_with(overlook<X509_V_ERR_CERT_HAS_EXPIRED>); return;
    }
}

/// As lenient as it gets towards old versions, so that what refuses them is what we set up.
void be_lenient(const TlsContext& context) {
    SSL_CTX_set_security_level(context.native(), 0);
}

std::shared_ptr<TrialPeer> server_of(TlsOffer offer, TlsContext context) {
    if (offer == TlsOffer::in_clear) return std::make_shared<TrialPeer>("* OK ready\r\n");
    const int only = offer == TlsOffer::tls_1_1   ? TLS1_1_VERSION
                     : offer == TlsOffer::tls_1_2 ? TLS1_2_VERSION
                                                  : TLS1_3_VERSION;
    return std::make_shared<TrialPeer>(TrialPeer::Speaks{std::move(context), only, only, true});
}

}  // namespace

/// What a connection of that client's would be made with.
struct TlsTrial::Trust {
    TlsContext system;
    std::shared_ptr<PinnedContexts> pinned;
    TlsOptions options;
};

TlsTrial::TlsTrial() : ordinary_(ordinary_trusting(trusted_)) {}

std::string_view name_of(TlsClient client) {
    switch (client) {
        case TlsClient::pinned: return "a client that trusts a named authority";
        case TlsClient::ordinary: return "a client as for ordinary mailboxes";
    }
    return "";
}

std::string_view name_of(TlsOffer offer) {
    switch (offer) {
        case TlsOffer::tls_1_3: return "TLS 1.3";
        case TlsOffer::tls_1_2: return "TLS 1.2";
        case TlsOffer::in_clear: return "no TLS";
        case TlsOffer::tls_1_1: return "TLS 1.1";
        case TlsOffer::other_authority: return "an untrusted authority's certificate";
        case TlsOffer::other_name: return "another host's certificate";
        case TlsOffer::expired: return "an expired certificate";
    }
    return "";
}

Result<TlsTrial::Trust> TlsTrial::trust_of(TriedClient client, TlsOffer offer) const {
    if (!ordinary_) return fail(ordinary_.error());
    // What a fault is planted in is no context that others use.
    Trust trust{
        TlsContext::client_trusting_like(*ordinary_), std::make_shared<PinnedContexts>(), {}};
    if (client.as == TlsClient::pinned) trust.options.ca_pem = trusted_.pem();
    POSTERN_TRY(const auto pinned, trust.pinned->get(trusted_.pem()));
    for (const auto& context : {trust.system, pinned}) {
        if (client.overlooks) plant(context.native(), *client.overlooks);
        if (offer == TlsOffer::tls_1_1) be_lenient(context);
    }
    return trust;
}

async::Task<bool> TlsTrial::accepts(TriedClient client, TlsOffer offer) const {
    auto trust = trust_of(client, offer);
    if (!trust) co_return fail(std::move(trust.error()));
    const auto issued = certificate_for(offer, trusted_, other_);
    auto context = TlsContext::server_from_pem(issued.certificate_pem, issued.key_pem);
    if (!context) co_return fail(std::move(context.error()));
    const auto executor = co_await boost::asio::this_coro::executor;
    auto transport = std::make_shared<Transport>(executor, server_of(offer, std::move(*context)));
    Stream::Parts parts{.transport = std::move(transport),
                        .system_trust = std::move(trust->system),
                        .pinned = std::move(trust->pinned),
                        .host = k_host,
                        .address = {},
                        .port = k_port};
    const auto mode = client.overlooks == TlsOffer::in_clear ? TlsMode::none : TlsMode::implicit;
    auto beginning =
        begin_stream(std::move(parts), mode, std::move(trust->options), trial_deadline());
    const auto stream = co_await std::move(beginning);
    if (!stream && stream.error().is(async::AsyncError::cancelled)) co_return fail(stream.error());
    co_return stream && ((*stream)->is_tls() || offer == TlsOffer::in_clear);
}

async::Task<bool> TlsTrial::listener_accepts(TriedListener listener, bool old_client) const {
    const auto issued = trusted_.issue({.name = k_host});
    auto ours = TlsContext::server_from_pem(issued.certificate_pem, issued.key_pem);
    if (!ours) co_return fail(std::move(ours.error()));
    if (listener.takes_old_clients) plant(ours->native(), TlsOffer::tls_1_1);
    if (old_client) be_lenient(*ours);
    auto theirs = TlsContext::client_pinned(trusted_.pem());
    if (!theirs) co_return fail(std::move(theirs.error()));
    const int least = old_client ? TLS1_VERSION : TLS1_2_VERSION;
    const int most = old_client ? TLS1_1_VERSION : TLS1_3_VERSION;
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto transport = std::make_shared<Transport>(
        executor,
        std::make_shared<TrialPeer>(TrialPeer::Speaks{std::move(*theirs), least, most, false}));
    auto shaking = transport->handshake_as_server(std::move(*ours));
    const auto shaken = co_await std::move(shaking);
    if (!shaken && shaken.error().is(async::AsyncError::cancelled)) co_return fail(shaken.error());
    co_return shaken.has_value();
}

}  // namespace postern::net
