#include "platform/ipc/peer.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/os/fd.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace postern::ipc {

namespace asio = boost::asio;

namespace {

// length u32, files u8, kind u8, method or status u16, call number u64
constexpr std::size_t k_header_bytes = 16;
constexpr std::size_t k_read_bytes = 65536;
constexpr std::size_t k_outgoing_max = 8192;
enum Kind : std::uint8_t { k_request = 1, k_reply = 2 };

struct Frame {
    std::uint8_t kind = 0;
    std::uint16_t number = 0;
    std::uint64_t call = 0;
    WipedBytes body;
    std::vector<os::Fd> files;
};

struct Outgoing {
    WipedBytes bytes;
    std::size_t sent = 0;
    std::vector<os::Fd> files;
};

void put_header(WipedBytes& out, const Frame& frame) {
    const auto put = [&out](std::uint64_t value, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) {
            out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        }
    };
    put(frame.body.size(), 4);
    put(frame.files.size(), 1);
    put(frame.kind, 1);
    put(frame.number, 2);
    put(frame.call, 8);
}

std::uint64_t integer_at(const WipedBytes& in, std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        value |= std::uint64_t{in[at + i]} << (8 * i);
    return value;
}

}  // namespace

struct Peer::State : std::enable_shared_from_this<Peer::State> {
    State(asio::any_io_executor executor, os::Fd fd, Handler serve)
        : socket(executor, fd.release()), handler(std::move(serve)), jobs(std::move(executor)) {}

    struct Waiting {
        explicit Waiting(const asio::any_io_executor& executor) : done(executor) {}
        async::Signal done;
        std::optional<Reply> reply;
    };

    asio::posix::stream_descriptor socket;
    Handler handler;
    async::TaskGroup jobs;
    std::unordered_map<std::uint64_t, std::shared_ptr<Waiting>> calls;
    std::uint64_t next_call = 1;
    std::deque<Outgoing> outgoing;
    bool writing = false;
    std::array<std::uint8_t, k_read_bytes> chunk{};
    WipedBytes incoming;
    std::size_t consumed = 0;
    std::deque<os::Fd> incoming_files;

    [[nodiscard]] bool open() const { return socket.is_open(); }
    void close();
    bool enqueue(Frame frame);
    /// Sends what the socket takes now; false when it takes no more.
    bool send_some();
    async::Job write_rest();
    /// Reads what is there; false when the other end is gone.
    bool receive_some();
    bool dispatch_frames();
    bool dispatch(Frame frame);
    async::Job serve(Frame frame);
};

void Peer::State::close() {
    if (!open()) return;
    boost::system::error_code ignored;
    socket.close(ignored);
    for (auto& [number, waiting] : calls)
        waiting->done.set();
    jobs.cancel();
}

bool Peer::State::enqueue(Frame frame) {
    if (!open() || outgoing.size() >= k_outgoing_max) return false;
    Outgoing out;
    out.bytes.reserve(k_header_bytes + frame.body.size());
    put_header(out.bytes, frame);
    out.bytes.append(frame.body);
    out.files = std::move(frame.files);
    outgoing.push_back(std::move(out));
    if (!writing && !send_some() && open()) {
        writing = true;
        jobs.spawn("ipc_write", write_rest());
    }
    return true;
}

bool Peer::State::send_some() {
    while (!outgoing.empty()) {
        auto& out = outgoing.front();
        iovec piece{out.bytes.data() + out.sent, out.bytes.size() - out.sent};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * k_frame_files_max)> control{};
        if (out.sent == 0 && !out.files.empty()) {
            message.msg_control = control.data();
            message.msg_controllen = CMSG_SPACE(sizeof(int) * out.files.size());
            auto* header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(sizeof(int) * out.files.size());
            for (std::size_t i = 0; i < out.files.size(); ++i) {
                const int fd = out.files[i].get();
                std::memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof fd);
            }
        }
        const auto sent = ::sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
        if (sent < 0) {
            close();
            return false;
        }
        out.files.clear();
        out.sent += static_cast<std::size_t>(sent);
        if (out.sent == out.bytes.size()) outgoing.pop_front();
    }
    return true;
}

async::Job Peer::State::write_rest() {
    const auto self = shared_from_this();
    while (open() && !send_some()) {
        if (!open()) break;
        const auto [error] = co_await socket.async_wait(asio::posix::descriptor_base::wait_write,
                                                        asio::as_tuple(asio::use_awaitable));
        if (error) break;
    }
    writing = false;
}

bool Peer::State::receive_some() {
    while (true) {
        iovec piece{chunk.data(), chunk.size()};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * k_frame_files_max)> control{};
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const auto got =
            ::recvmsg(socket.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
        incoming.append(ByteView(chunk).first(static_cast<std::size_t>(got)));
        wipe(chunk.data(), static_cast<std::size_t>(got));
        if (got == 0 || (message.msg_flags & MSG_CTRUNC) != 0) return false;
        for (auto* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
            if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
            const auto count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd = -1;
                std::memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof fd);
                incoming_files.emplace_back(fd);
            }
        }
        if (!dispatch_frames()) return false;
    }
}

bool Peer::State::dispatch_frames() {
    while (incoming.size() - consumed >= k_header_bytes) {
        const auto length = integer_at(incoming, consumed, 4);
        const auto files = integer_at(incoming, consumed + 4, 1);
        if (length > k_frame_bytes_max || files > k_frame_files_max) return false;
        if (incoming.size() - consumed < k_header_bytes + length) break;
        Frame frame;
        frame.kind = static_cast<std::uint8_t>(integer_at(incoming, consumed + 5, 1));
        frame.number = static_cast<std::uint16_t>(integer_at(incoming, consumed + 6, 2));
        frame.call = integer_at(incoming, consumed + 8, 8);
        const auto* body = incoming.data() + consumed + k_header_bytes;
        frame.body.append(ByteView(body, length));
        consumed += k_header_bytes + length;
        if (incoming_files.size() < files) return false;
        for (std::uint64_t i = 0; i < files; ++i) {
            frame.files.push_back(std::move(incoming_files.front()));
            incoming_files.pop_front();
        }
        if (!dispatch(std::move(frame))) return false;
        if (!open()) return false;
    }
    // Moved to the front only when it is cheap; wiped because a frame may have held a secret.
    if (consumed == incoming.size()) {
        incoming.clear();
        consumed = 0;
    } else if (consumed > k_read_bytes) {
        incoming.erase_front(consumed);
        consumed = 0;
    }
    return true;
}

bool Peer::State::dispatch(Frame frame) {
    if (frame.kind == k_request) {
        if (jobs.size() >= k_calls_in_flight_max) return false;
        jobs.spawn("ipc_serve", serve(std::move(frame)));
        return true;
    }
    if (frame.kind != k_reply) return false;
    // Not there any more: its caller's deadline has passed.
    const auto found = calls.find(frame.call);
    if (found == calls.end()) return true;
    found->second->reply = Reply{static_cast<std::uint8_t>(frame.number), std::move(frame.body),
                                 std::move(frame.files)};
    found->second->done.set();
    return true;
}

async::Job Peer::State::serve(Frame frame) {
    const auto self = shared_from_this();
    const auto call = frame.call;
    Request request{frame.number, std::move(frame.body), std::move(frame.files)};
    auto reply = co_await handler(std::move(request));
    Frame answer;
    answer.kind = k_reply;
    answer.number = reply.status;
    answer.call = call;
    answer.body = std::move(reply.body);
    answer.files = std::move(reply.files);
    enqueue(std::move(answer));
}

Peer::Peer(asio::any_io_executor executor, os::Fd socket, Handler handler)
    : state_(std::make_shared<State>(std::move(executor), std::move(socket), std::move(handler))) {}

Peer::~Peer() {
    state_->close();
}

async::Task<Reply> Peer::call(Request request, Deadline deadline) {
    const auto state = state_;
    if (!state->open()) co_return fail(IpcError::closed);
    if (request.body.size() > k_frame_bytes_max || request.files.size() > k_frame_files_max) {
        co_return fail(IpcError::too_large);
    }
    if (state->calls.size() >= k_calls_in_flight_max) co_return fail(IpcError::busy);
    Frame frame;
    frame.kind = k_request;
    frame.number = request.method;
    frame.call = state->next_call++;
    frame.body = std::move(request.body);
    frame.files = std::move(request.files);
    const auto number = frame.call;
    const auto waiting = std::make_shared<State::Waiting>(state->socket.get_executor());
    state->calls.emplace(number, waiting);
    if (!state->enqueue(std::move(frame))) {
        state->calls.erase(number);
        co_return state->open() ? fail(IpcError::busy) : fail(IpcError::closed);
    }
    auto waited = co_await waiting->done.wait(deadline);
    state->calls.erase(number);
    if (!waited) co_return fail(std::move(waited.error()));
    auto& reply = waiting->reply;
    if (!reply) co_return fail(IpcError::closed);
    co_return std::move(*reply);
}

async::Job Peer::run() {
    const auto state = state_;
    while (state->open()) {
        if (!state->receive_some()) break;
        const auto [error] = co_await state->socket.async_wait(
            asio::posix::descriptor_base::wait_read, asio::as_tuple(asio::use_awaitable));
        if (error) break;
    }
    state->close();
    // What was being served works with what its owner has: it ends first.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await state->jobs.join();
}

bool Peer::closed() const noexcept {
    return !state_->open();
}
void Peer::close() {
    state_->close();
}

}  // namespace postern::ipc
