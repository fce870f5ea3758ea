#include "platform/net/trial_wire.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/types.h>
#include <cerrno>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>

namespace postern::net {
namespace {

/// TLS 1.1 is below what OpenSSL's default security level speaks at all.
void allow_only(SSL* tls, int least, int most) {
    if (most < TLS1_2_VERSION) SSL_set_security_level(tls, 0);
    SSL_set_min_proto_version(tls, least);
    SSL_set_max_proto_version(tls, most);
}

}  // namespace

void TrialPeer::BioDelete::operator()(BIO* bio) const noexcept {
    BIO_free(bio);
}

void TrialPeer::SslDelete::operator()(SSL* tls) const noexcept {
    SSL_free(tls);
}

TrialPeer::TrialPeer(const Speaks& speaks) : tls_(SSL_new(speaks.context.native())) {
    if (!tls_) throw std::bad_alloc();
    allow_only(tls_.get(), speaks.least, speaks.most);
    // It is our side alone that is tried.
    SSL_set_verify(tls_.get(), SSL_VERIFY_NONE, nullptr);
    if (speaks.serves) SSL_set_accept_state(tls_.get());
    if (!speaks.serves) SSL_set_connect_state(tls_.get());
    join();
    auto* theirs = theirs_.release();
    SSL_set_bio(tls_.get(), theirs, theirs);
}

TrialPeer::TrialPeer(std::string_view greeting) {
    join();
    const auto said = BIO_write(theirs_.get(), greeting.data(), static_cast<int>(greeting.size()));
    POSTERN_CHECK(said == static_cast<int>(greeting.size()));
}

void TrialPeer::join() {
    BIO* ours = nullptr;
    BIO* theirs = nullptr;
    if (BIO_new_bio_pair(&ours, 0, &theirs, 0) != 1) throw std::bad_alloc();
    ours_.reset(ours);
    theirs_.reset(theirs);
}

ssize_t TrialPeer::receive(std::span<std::uint8_t> into) {
    const auto got = BIO_read(ours_.get(), into.data(), static_cast<int>(into.size()));
    if (got > 0) return got;
    errno = EAGAIN;
    return BIO_should_retry(ours_.get()) != 0 ? -1 : 0;
}

ssize_t TrialPeer::send(ByteView data) {
    const auto put = BIO_write(ours_.get(), data.data(), static_cast<int>(data.size()));
    if (put > 0) return put;
    errno = BIO_should_retry(ours_.get()) != 0 ? EAGAIN : EPIPE;
    return -1;
}

bool TrialPeer::has_unread() const {
    return BIO_ctrl_pending(ours_.get()) > 0;
}

bool TrialPeer::go_on() {
    if (!tls_) return false;
    auto* theirs = SSL_get_rbio(tls_.get());
    const auto moved = [theirs] { return BIO_number_read(theirs) + BIO_number_written(theirs); };
    const auto before = moved();
    SSL_do_handshake(tls_.get());
    ERR_clear_error();
    return moved() != before;
}

}  // namespace postern::net
