#pragma once

#include "foundation/base/result.h"
#include "foundation/base/secret.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace postern::store {

/// A PostgreSQL database that holds stores, each in a schema of its own. With several addresses the
/// first that takes writes is used, also after the one in use has failed.
struct Server {
    struct Address {
        std::string host;  ///< name, address, or the absolute folder of a socket
        std::uint16_t port = 5432;
    };
    std::vector<Address> addresses;
    std::string database = "postern";
    std::string user = "postern";
    std::shared_ptr<const Secret> password;  ///< null: none is sent
    std::string ca_file;                     ///< PEM; needed unless every address is local
    /// Of the keyring: its cluster is the bulk's, and may keep what is destroyed.
    bool may_keep_destroyed = false;
};

/// On this machine: a socket's folder or a loopback address.
[[nodiscard]] bool is_local(const Server::Address& address);

/// libpq, for the life of the process. Opening a store does it, too. Errors: no_library.
[[nodiscard]] Result<> load_client_library();

}  // namespace postern::store
