#include "app/keeper/keeper.h"

#include "app/control/control_protocol.h"
#include "app/stores/stores.h"
#include "features/vault/keeper_core.h"
#include "features/vault/keeper_service.h"
#include "features/vault/links.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/store/migration.h"

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

Result<Secret> read_root_key(child::Runtime& runtime) {
    const auto file = runtime.take_root_key();
    auto root_key = vault::read_root_key(file.get());
    if (!root_key && root_key.error().is(os::OsError::too_large)) {
        return fail(vault::VaultError::bad_root_key_file);
    }
    return root_key;
}

Result<vault::OpenKeyring> open_keyring(child::Runtime& runtime) {
    const auto root_key = read_root_key(runtime);
    if (!root_key) return fail(root_key.error());
    const vault::OpenKeyringOptions options{
        .server = stores::options_of(runtime.store_access(), store::StoreKind::keyring).server};
    if (runtime.create()) {
        if (auto made = vault::create_keyring(options, *root_key); !made) {
            return fail(std::move(made.error()));
        }
    }
    return vault::open_keyring(options, *root_key);
}

}  // namespace

// The runtime outlives every coroutine of the process.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
async::Task<> run(child::Runtime& runtime) {
    auto opened = open_keyring(runtime);
    if (!opened) co_return fail(std::move(opened.error()));
    const auto links = std::make_shared<vault::PeerLinks>(
        runtime.executor(), [&runtime] { return runtime.end_courier(Deadline::in(k_end_time)); });
    const auto& seal = runtime.config().seal;
    vault::KeeperParts parts{.store = std::move(opened->store),
                             .keyring = std::move(opened->keyring),
                             .links = links,
                             .clock = &runtime.clock(),
                             .cost = {seal.argon2_passes, seal.argon2_memory_kib},
                             .lease_limits = {.default_s = runtime.config().lease.default_s,
                                              .longest_s = runtime.config().lease.longest_s}};
    vault::KeeperService service(runtime.executor(), std::move(parts));
    runtime.tasks().spawn("keeper_sweep", service.run());
    runtime.on_link(control::Partner::front, [&](os::Fd socket) {
        links->set_front(attach(runtime, service.front(), std::move(socket)));
    });
    runtime.on_link(control::Partner::courier, [&](os::Fd socket) {
        links->set_courier(attach(runtime, service.courier(), std::move(socket)));
    });
    runtime.on_link(control::Partner::admin, [&](os::Fd socket) {
        (void)attach(runtime, service.operators(), std::move(socket));
    });
    runtime.ready({});
    co_await runtime.stop_requested();
    co_await service.stop();
    // The links' routers are the service's, which ends with this coroutine.
    runtime.tasks().cancel();
    co_await runtime.tasks().join();
    co_return Result<>{};
}

}  // namespace postern::app::keeper
