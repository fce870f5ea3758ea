#pragma once

#include "foundation/base/bytes.h"

#include <sys/types.h>
#include <cstdint>
#include <memory>
#include <span>

struct bio_st;

namespace postern::net {

/// The other side of a wire that is no socket: of a trial, in this process.
class Exchange {
public:
    virtual ~Exchange() = default;
    /// As recv(2) and send(2) of a socket that does not block.
    virtual ssize_t receive(std::span<std::uint8_t> into) = 0;
    virtual ssize_t send(ByteView data) = 0;
    [[nodiscard]] virtual bool has_unread() const = 0;
    /// Lets the other side go on. Whether anything came of it: else it waits, too, for ever.
    virtual bool go_on() = 0;
};

/// A connected socket, or an exchange in its place, and what passed over it. Non-blocking; a write
/// to a closed peer raises no signal.
struct Wire {
    int descriptor = -1;
    std::shared_ptr<Exchange> exchange;
    bool ended = false;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
};

/// As recv(2) and send(2), errno included.
[[nodiscard]] ssize_t receive(Wire& wire, std::span<std::uint8_t> into);
[[nodiscard]] ssize_t send(Wire& wire, ByteView data, ByteView more = {});

/// Lets OpenSSL read and write the wire directly: no buffers of its own between record layer and
/// kernel. The caller owns both; `wire` outlives the BIO.
[[nodiscard]] bio_st* make_socket_bio(Wire& wire);

}  // namespace postern::net
