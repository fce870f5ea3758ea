#pragma once

#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/migration.h"
#include "platform/store/server.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace postern::store::postgres {

/// Whether a server is the one that a transaction was begun on: its identity and the history since
/// it was last promoted. Only then do transaction numbers mean the same.
struct ServerIdentity {
    std::string system;
    std::string timeline;
    bool operator==(const ServerIdentity&) const = default;
};

/// The server's side of a session. Numbers of processes come again: its start tells it apart.
struct Backend {
    ServerIdentity server;
    std::string pid;
    std::string started;
};

struct ConnectionOptions {
    Server server;
    StoreKind kind = StoreKind::store;
    /// A writer holds the store for itself, until it closes; readers hold nothing.
    Access access = Access::write;
    bool create = false;
    bool only_new = false;  ///< refuses a store that is there
    /// Also a reader of a keyring is refused where a writer would be.
    bool must_fit = false;
    /// A session of ours that broke here and may live on there, with the store: it is ended.
    std::optional<Backend> former = std::nullopt;
    /// Twice as long it is asked what became of a commit whose answer was lost.
    std::chrono::milliseconds busy_timeout{5000};
};

/// The stores of one database lie in schemas of their own.
[[nodiscard]] const char* schema_of(StoreKind kind);

/// Opens a store on a server. A connection that breaks later is made anew, to any of the server's
/// addresses, when the next transaction begins; where it broke during a commit, the server is asked
/// whether it was made. A keyring's writer is refused where the cluster would keep what is
/// destroyed; when it comes to be so later that is told in the log. Errors: not_found, not_a_store,
/// not_empty, in_use, unreachable, login_refused, not_permitted, unsuitable, no_library.
[[nodiscard]] Result<std::unique_ptr<Connection>> connect(const ConnectionOptions& options);

}  // namespace postern::store::postgres
