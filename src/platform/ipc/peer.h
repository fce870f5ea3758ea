#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/ipc/wire.h"
#include "platform/os/fd.h"

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace postern::ipc {

enum class IpcError { closed, malformed, too_large, busy, unknown_method, failed };

constexpr ErrorInfo describe(IpcError error) {
    switch (error) {
        case IpcError::closed:
            return {"process_restarting", "A part of the server is restarting. Please try again."};
        case IpcError::malformed: return {"internal_error", "Something went wrong inside."};
        case IpcError::too_large: return {"too_large", "This is larger than allowed."};
        case IpcError::busy:
            return {"busy", "Too much is going on at the moment. Please try again."};
        case IpcError::unknown_method: return {"internal_error", "Something went wrong inside."};
        case IpcError::failed: return {"internal_error", "Something went wrong inside."};
    }
    return {"internal_error", "Something went wrong inside."};
}

/// Largest message between processes; larger bodies travel as descriptors.
inline constexpr std::size_t k_frame_bytes_max = 4 << 20;
inline constexpr std::size_t k_frame_files_max = 8;
inline constexpr std::size_t k_calls_in_flight_max = 4096;

/// What one end asks of the other, and what it gets.
struct Request {
    std::uint16_t method = 0;
    WipedBytes body;
    std::vector<os::Fd> files;
};
struct Reply {
    std::uint8_t status = 0;  ///< 0 good, 1 the method's own failure, 2 an IpcError
    WipedBytes body;
    std::vector<os::Fd> files;
};

/// One end of a socket pair: calls the other end and serves its calls, both at the same time.
/// When the other end goes away every waiting call ends with IpcError::closed.
///
/// Executor: all calls from the executor's own thread.
class Peer {
public:
    using Handler = std::function<boost::asio::awaitable<Reply>(Request)>;

    Peer(boost::asio::any_io_executor executor, os::Fd socket, Handler handler);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    /// Errors: closed, busy, too_large, deadline_passed. The reply's own status is not looked at.
    async::Task<Reply> call(Request request, Deadline deadline);

    /// Serves until the other end closes. Run it in a TaskGroup; ends when the peer is closed and
    /// every call that it was serving has ended.
    async::Job run();

    [[nodiscard]] bool closed() const noexcept;
    void close();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace postern::ipc
