#include "platform/store/server.h"

namespace postern::store {

bool is_local(const Server::Address& address) {
    const auto& host = address.host;
    return host.starts_with('/') || host == "localhost" || host == "::1" ||
           host.starts_with("127.");
}

}  // namespace postern::store
