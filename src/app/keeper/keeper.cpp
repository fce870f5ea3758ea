#include "app/keeper/keeper.h"

#include "app/control/control_protocol.h"
#include "app/stores/stores.h"
#include "features/vault/keeper_core.h"
#include "features/vault/keeper_service.h"
#include "features/vault/links.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"
#include "platform/store/migration.h"
#include "platform/store/store_error.h"

#include <chrono>
#include <memory>
#include <utility>

namespace postern::app::keeper {
namespace {

constexpr std::chrono::seconds k_end_time{2};

async::Job serve(std::shared_ptr<ipc::Peer> peer) {
    co_await peer->run();
}

std::shared_ptr<ipc::Peer> attach(child::Runtime& runtime,
                                  const ipc::Router& router,
                                  os::Fd socket) {
    auto peer =
        std::make_shared<ipc::Peer>(runtime.executor(), std::move(socket), router.handler());
    runtime.tasks().spawn("keeper_link", serve(peer));
    return peer;
}

/// What was opened, and whether with the root key that a rotation left beside the one before.
struct Opened {
    vault::OpenKeyring keyring;
    bool with_next = false;
};

Result<vault::OpenKeyring> open_with(const vault::OpenKeyringOptions& options,
                                     const os::Fd& file,
                                     const Secret& passphrase) {
    const auto root_key = vault::read_root_key(file.get(), passphrase);
    if (root_key) return vault::open_keyring(options, *root_key);
    if (!root_key.error().is(vault::VaultError::wrong_passphrase)) return fail(root_key.error());
    POSTERN_TRY(const auto wanted, vault::wanted_root_key(options));
    return fail(vault::VaultError::wrong_passphrase, "the keyring wants the root key " + wanted +
                                                         ", which this passphrase does not give");
}

bool is_wrong_key(const Error& error) {
    return error.is(vault::VaultError::wrong_root_key) ||
           error.is(vault::VaultError::wrong_passphrase);
}

Result<Opened> open_keyring(child::Runtime& runtime) {
    const auto file = runtime.take_root_key();
    const auto next = runtime.take_next_root_key();
    const auto passphrase = runtime.take_passphrase();
    const auto next_passphrase = runtime.take_next_passphrase();
    const vault::OpenKeyringOptions options{
        .server = stores::options_of(runtime.store_access(), store::StoreKind::keyring).server};
    if (runtime.create()) {
        POSTERN_TRY(const auto root_key, vault::read_root_key(file.get(), passphrase));
        if (auto made = vault::create_keyring(options, root_key); !made) {
            return fail(std::move(made.error()));
        }
    }
    auto opened = open_with(options, file, passphrase);
    if (opened) return Opened{std::move(*opened), false};
    if (!next.valid() || !is_wrong_key(opened.error())) return fail(std::move(opened.error()));
    auto rotated = open_with(options, next, next_passphrase);
    if (!rotated && rotated.error().is(vault::VaultError::passphrase_needed)) {
        return fail(std::move(rotated.error()));
    }
    if (!rotated) return fail(std::move(opened.error()));
    return Opened{std::move(*rotated), true};
}

vault::SupervisorCalls supervisor_of(child::Runtime& runtime) {
    return {.end_courier = [&runtime] { return runtime.end_courier(Deadline::in(k_end_time)); },
            .next_root_key =
                [&runtime](os::Fd file, Secret passphrase) {
                    return runtime.next_root_key(std::move(file), std::move(passphrase),
                                                 Deadline::in(k_end_time));
                },
            .root_key_changed =
                [&runtime] { return runtime.root_key_changed(Deadline::in(k_end_time)); }};
}

}  // namespace

Result<bool> look(control::StoreAccess& access) {
    auto behind = stores::is_behind(access, store::StoreKind::keyring);
    if (behind || !behind.error().is(store::StoreError::not_found)) return behind;
    return fail(vault::VaultError::no_keyring);
}

// The runtime outlives every coroutine of the process.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
async::Task<> run(child::Runtime& runtime) {
    auto opened = open_keyring(runtime);
    if (!opened) co_return fail(std::move(opened.error()));
    const auto links =
        std::make_shared<vault::PeerLinks>(runtime.executor(), supervisor_of(runtime));
    const auto& seal = runtime.config().seal;
    vault::KeeperParts parts{.store = std::move(opened->keyring.store),
                             .keyring = std::move(opened->keyring.keyring),
                             .links = links,
                             .clock = &runtime.clock(),
                             .cost = {seal.argon2_passes, seal.argon2_memory_kib},
                             .lease_limits = {.default_s = runtime.config().lease.default_s,
                                              .longest_s = runtime.config().lease.longest_s}};
    vault::KeeperService service(runtime.executor(), std::move(parts));
    runtime.tasks().spawn("keeper_sweep", service.run());
    runtime.tasks().spawn("keeper_rotation", service.run_rotation());
    runtime.on_link(control::Partner::front, [&](os::Fd socket) {
        links->set_front(attach(runtime, service.front(), std::move(socket)));
    });
    runtime.on_link(control::Partner::courier, [&](os::Fd socket) {
        links->set_courier(attach(runtime, service.courier(), std::move(socket)));
    });
    runtime.on_link(control::Partner::admin, [&](os::Fd socket) {
        (void)attach(runtime, service.operators(), std::move(socket));
    });
    runtime.ready({.next_root_key = opened->with_next});
    co_await runtime.stop_requested();
    co_await service.stop();
    // The links' routers are the service's, which ends with this coroutine.
    runtime.tasks().cancel();
    co_await runtime.tasks().join();
    co_return Result<>{};
}

}  // namespace postern::app::keeper
