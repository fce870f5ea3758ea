#pragma once

#include "features/vault/audit_service.h"
#include "features/vault/destined_service.h"
#include "features/vault/grant_service.h"
#include "features/vault/keeper_core.h"
#include "features/vault/lease_service.h"
#include "features/vault/message_key_service.h"
#include "features/vault/operator_service.h"
#include "features/vault/receipt_service.h"
#include "features/vault/rotation_service.h"
#include "features/vault/seal_service.h"
#include "platform/ipc/rpc.h"
#include "platform/store/server.h"

#include <memory>
#include <string>

namespace postern::vault {

/// Keeper: what front and courier can ask of it. Make one, give each peer the router of its role,
/// run() it in a TaskGroup, and stop() it before the executor ends.
///
/// Executor: one thread.
class KeeperService {
public:
    KeeperService(const boost::asio::any_io_executor& executor, KeeperParts parts);

    /// Everything but Redeem.
    [[nodiscard]] const ipc::Router& front() const noexcept { return front_; }
    /// What the operator asks over keeper's own socket.
    [[nodiscard]] const ipc::Router& operators() const noexcept { return operators_; }
    /// Redeem alone.
    [[nodiscard]] const ipc::Router& courier() const noexcept { return courier_; }

    async::Job run() { return leases_.run(); }
    /// Goes on with rotations that a crash interrupted, and works off new ones.
    async::Job run_rotation() { return rotation_.run(); }
    async::Task<> work_off_rotation() { return rotation_.work(); }
    /// Ends what is due now; run() does it by itself.
    async::Task<> sweep() { return leases_.sweep(); }
    async::Task<ipc::Nothing> destroy_subjects(WorkspaceId workspace,
                                               std::vector<CreatorId> creators) {
        return message_keys_.destroy_subjects(workspace, std::move(creators));
    }
    async::Job stop();

private:
    /// A method that only reads: it ends with its caller.
    template <typename Method, typename Service>
    void serve(ipc::Router& router,
               Service& service,
               async::Task<typename Method::Answer> (Service::*function)(Method));
    /// A method that changes something: it runs to its end when its caller goes away.
    template <typename Method, typename Service>
    void serve_whole(ipc::Router& router,
                     Service& service,
                     async::Task<typename Method::Answer> (Service::*function)(Method));
    void serve_message_keys();
    void serve_integrations();
    void serve_operators();

    std::shared_ptr<KeeperCore> core_;
    MessageKeyService message_keys_;
    AuditService audit_;
    DestinedService destined_;
    ReceiptService receipts_;
    SealService seals_;
    LeaseService leases_;
    GrantService grants_;
    OperatorService operator_;
    RotationService rotation_;
    ipc::Router front_;
    ipc::Router courier_;
    ipc::Router operators_;
};

struct OpenKeyringOptions {
    std::string file = "keyring.db";
    std::optional<std::string> reserve_file = "keyring.reserve";
    /// A PostgreSQL cluster of its own instead of the file.
    std::optional<store::Server> server = std::nullopt;
};
/// Makes a keyring with its first keys. Errors: keyring_exists, and those of the store.
[[nodiscard]] Result<> create_keyring(const OpenKeyringOptions& options, const Secret& root_key);

struct OpenKeyring {
    std::unique_ptr<KeyringStore> store;
    Keyring keyring;
};
/// Errors: wrong_root_key (its detail names the key that is wanted), no_keyring, keyring_damaged,
/// store_newer_version and the store's others.
[[nodiscard]] Result<OpenKeyring> open_keyring(const OpenKeyringOptions& options,
                                               const Secret& root_key);
/// The fingerprint of the root key that the keyring is under. Errors: as open_keyring.
[[nodiscard]] Result<std::string> wanted_root_key(const OpenKeyringOptions& options);

}  // namespace postern::vault
