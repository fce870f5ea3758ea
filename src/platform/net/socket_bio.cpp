#include "platform/net/socket_bio.h"

#include "foundation/base/bytes.h"

#include <openssl/bio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

namespace postern::net {
namespace {

bool is_would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int read_wire(BIO* bio, char* into, int size) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto got =
        receive(wire, {reinterpret_cast<std::uint8_t*>(into), static_cast<std::size_t>(size)});
    if (got == 0) wire.ended = true;
    if (got < 0 && is_would_block()) BIO_set_retry_read(bio);
    return static_cast<int>(got);
}

int write_wire(BIO* bio, const char* from, int size) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto put =
        send(wire, {reinterpret_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size)});
    if (put < 0 && is_would_block()) BIO_set_retry_write(bio);
    return static_cast<int>(put);
}

long control_wire(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    // OpenSSL asks this to tell a truncated stream from a failed read.
    if (command == BIO_CTRL_EOF) return static_cast<Wire*>(BIO_get_data(bio))->ended ? 1 : 0;
    return 0;
}

BIO_METHOD* make_method() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern wire");
    if (method == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(method, read_wire);
    BIO_meth_set_write(method, write_wire);
    BIO_meth_set_ctrl(method, control_wire);
    return method;
}

}  // namespace

ssize_t receive(Wire& wire, std::span<std::uint8_t> into) {
    const auto got = wire.exchange ? wire.exchange->receive(into)
                                   : ::recv(wire.descriptor, into.data(), into.size(), 0);
    if (got > 0) wire.bytes_received += static_cast<std::uint64_t>(got);
    return got;
}

ssize_t send(Wire& wire, ByteView data, ByteView more) {
    // sendmsg() for one piece, too: every process of ours may call it, and not all may sendto().
    std::array<iovec, 2> pieces{iovec{const_cast<std::uint8_t*>(data.data()), data.size()},
                                iovec{const_cast<std::uint8_t*>(more.data()), more.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = more.empty() ? 1 : 2;
    const auto put = wire.exchange ? wire.exchange->send(data)
                                   : ::sendmsg(wire.descriptor, &message, MSG_NOSIGNAL);
    if (put > 0) wire.bytes_sent += static_cast<std::uint64_t>(put);
    return put;
}

bio_st* make_socket_bio(Wire& wire) {
    static BIO_METHOD* const method = make_method();
    BIO* bio = BIO_new(method);
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &wire);
    BIO_set_init(bio, 1);
    return bio;
}

}  // namespace postern::net
