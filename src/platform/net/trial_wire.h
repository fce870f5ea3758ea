#pragma once

#include "foundation/base/bytes.h"
#include "platform/net/socket_bio.h"
#include "platform/net/tls_context.h"

#include <openssl/types.h>
#include <sys/types.h>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace postern::net {

/// A peer in memory, for a trial of what our side of a connection insists on. It insists on
/// nothing itself, and goes on when our side waits. Internal to platform/net.
class TrialPeer final : public Exchange {
public:
    /// Speaks the versions from `least` to `most`, as the server or the client of that context.
    struct Speaks {
        TlsContext context;
        int least = 0;
        int most = 0;
        bool serves = true;
    };
    explicit TrialPeer(const Speaks& speaks);
    /// Says that in clear, and nothing more.
    explicit TrialPeer(std::string_view greeting);

    ssize_t receive(std::span<std::uint8_t> into) override;
    ssize_t send(ByteView data) override;
    [[nodiscard]] bool has_unread() const override;
    bool go_on() override;

private:
    struct BioDelete {
        void operator()(BIO* bio) const noexcept;
    };
    struct SslDelete {
        void operator()(SSL* tls) const noexcept;
    };
    using Bio = std::unique_ptr<BIO, BioDelete>;

    void join();

    Bio ours_;
    Bio theirs_;  ///< of a peer in clear; else tls_ has it
    std::unique_ptr<SSL, SslDelete> tls_;
};

}  // namespace postern::net
