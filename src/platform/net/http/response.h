#pragma once

#include "platform/async/task.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::net::http {

/// Where a streaming answer (server-sent events, a download) writes. One write at a time.
class BodyWriter {
public:
    virtual ~BodyWriter() = default;
    /// Handed to the kernel before it resumes; nothing is kept back. Errors: closed_by_peer, or
    /// AsyncError::cancelled when client or server end the stream: return then.
    virtual async::Task<> write(std::string data) = 0;
};

/// Runs while the client listens; cancelled at its next wait when the client goes away or the
/// server stops. An error ends the connection in a way that the client sees as cut off.
using StreamBody = std::function<async::Task<>(BodyWriter&)>;

struct Response {
    int status = 200;
    std::string content_type;  ///< empty: no such field
    std::string body;          ///< wiped once it is written
    /// Further fields. Content-Length, Transfer-Encoding, Connection and Date are the server's own
    /// and ignored here. A value with a line break is a bug and answers 500.
    std::vector<std::pair<std::string, std::string>> headers;
    StreamBody stream;  ///< where set, `body` is not used
};

[[nodiscard]] Response text_response(int status, std::string_view text);

}  // namespace postern::net::http
