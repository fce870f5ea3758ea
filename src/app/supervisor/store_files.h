#pragma once

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/roles.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"

namespace postern::app::supervisor {

/// The passwords and certificate authorities that [store] names, read by the supervisor because the
/// other processes may not; each gets its own and no other.
class StoreFiles {
public:
    StoreFiles() = default;
    /// Errors: store_file_unreadable.
    [[nodiscard]] static Outcome<StoreFiles> read(const config::Store& store);

    /// Front's for the bulk store and the index, keeper's for the keyring; the others have none.
    [[nodiscard]] control::StoreAccess access(Role role, config::StoreEngine engine) const;

private:
    struct Server {
        config::DatabaseServer place;
        Secret password;
        os::Fd ca;
    };
    [[nodiscard]] static Outcome<Server> read(const config::DatabaseServer& place);

    Server bulk_;
    Server keyring_;
    bool keyring_beside_bulk_ = false;
};

}  // namespace postern::app::supervisor
