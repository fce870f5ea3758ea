#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "foundation/codec/http/https_url.h"
#include "foundation/codec/http/response_reader.h"
#include "platform/async/task.h"

#include <string>

namespace postern::net {

class Connector;

struct HttpAsk {
    enum class Method { get, post };
    Method method = Method::get;
    codec::http::HttpsUrl url;
    std::string ca_pem;  ///< trust these authorities alone; empty: the system's
    std::string accept = "application/json";
    Secret authorization;      ///< what stands behind "Authorization: "; empty: nothing does
    std::string content_type;  ///< of a body
    WipedBytes body;           ///< of a post
    codec::http::ResponseReader::Limits limits;
};
struct HttpAnswer {
    int status = 0;
    std::string content_type;
    WipedBytes body;
};

/// Asks a server once, over TLS, and closes. Follows nothing and keeps nothing.
///
/// Executor: the connector's. Lifetime: the connector outlives it.
class HttpClient {
public:
    explicit HttpClient(Connector& connector) : connector_(connector) {}

    /// Any whole answer, whatever its status. Errors: NetError, codec::http::ResponseError,
    /// AsyncError::cancelled.
    async::Task<HttpAnswer> exchange(HttpAsk ask, Deadline deadline);

private:
    Connector& connector_;
};

}  // namespace postern::net
