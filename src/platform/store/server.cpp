#include "platform/store/server.h"

#include "foundation/base/result.h"
#include "platform/store/postgres/libpq.h"

namespace postern::store {

bool is_local(const Server::Address& address) {
    const auto& host = address.host;
    return host.starts_with('/') || host == "localhost" || host == "::1" ||
           host.starts_with("127.");
}

Result<> load_client_library() {
    POSTERN_TRY([[maybe_unused]] const auto* const library, postgres::Libpq::load());
    return {};
}

}  // namespace postern::store
