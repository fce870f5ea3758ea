#include "features/vault/keeper_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/keyring_store_sql.h"
#include "features/vault/vault_error.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/store/store_error.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::vault {
namespace {

/// Nothing of keeper's takes longer: Argon2id in its bounded queue, courier, the store.
constexpr std::chrono::seconds k_call_time{60};

template <typename T>
async::Task<T> mapped(async::Task<T> work) {
    auto done = co_await std::move(work);
    if (!done) co_return fail(outward(std::move(done.error())));
    co_return done;
}

template <typename T>
struct Shared {
    explicit Shared(const boost::asio::any_io_executor& executor) : done(executor) {}
    async::Signal done;
    std::optional<Result<T>> outcome;
};

template <typename T>
async::Job finish(std::shared_ptr<Shared<T>> shared, async::Task<T> work) {
    auto outcome = co_await std::move(work);
    shared->outcome.emplace(std::move(outcome));
    shared->done.set();
}

/// Runs `work` in keeper's own group: it goes on when the caller is cancelled.
template <typename T>
async::Task<T> whole(std::shared_ptr<KeeperCore> core, async::Task<T> work) {
    const auto shared = std::make_shared<Shared<T>>(core->jobs.executor());
    core->jobs.spawn("keeper_call", finish(shared, std::move(work)));
    const auto waited = co_await shared->done.wait(Deadline::in(k_call_time));
    if (!waited) co_return fail(outward(waited.error()));
    auto& outcome = shared->outcome;
    POSTERN_CHECK(outcome.has_value());
    if (!outcome->has_value()) co_return fail(outward(std::move(outcome->error())));
    co_return std::move(*outcome);
}

Result<std::unique_ptr<KeyringStore>> open_store(const OpenKeyringOptions& options, bool create) {
    return open_keyring_store({.file = options.file,
                               .create = create,
                               .server = options.server,
                               .reserve_file = options.reserve_file});
}

struct FoundStore {
    std::unique_ptr<KeyringStore> store;
    KeyringHead head;
};
Result<FoundStore> find_store(const OpenKeyringOptions& options) {
    auto store = open_store(options, false);
    if (!store && store.error().is(store::StoreError::not_found)) {
        return fail(VaultError::no_keyring);
    }
    if (!store) return fail(std::move(store.error()));
    POSTERN_TRY(auto head, (*store)->head());
    if (!head) return fail(VaultError::no_keyring);
    return FoundStore{std::move(*store), std::move(*head)};
}

}  // namespace

template <typename Method, typename Service>
void KeeperService::serve(ipc::Router& router,
                          Service& service,
                          async::Task<typename Method::Answer> (Service::*function)(Method)) {
    router.on<Method>([&service, function](Method asked) {
        return mapped((service.*function)(std::move(asked)));
    });
}

template <typename Method, typename Service>
void KeeperService::serve_whole(ipc::Router& router,
                                Service& service,
                                async::Task<typename Method::Answer> (Service::*function)(Method)) {
    router.on<Method>([this, &service, function](Method asked) {
        return whole(core_, (service.*function)(std::move(asked)));
    });
}

KeeperService::KeeperService(const boost::asio::any_io_executor& executor, KeeperParts parts)
    : core_(std::make_shared<KeeperCore>(executor, std::move(parts))),
      message_keys_(core_),
      audit_(core_),
      destined_(core_),
      receipts_(core_),
      seals_(core_),
      leases_(core_),
      grants_(core_),
      operator_(core_),
      rotation_(core_) {
    serve_message_keys();
    serve_integrations();
    serve_operators();
}

void KeeperService::serve_message_keys() {
    serve_whole(front_, message_keys_, &MessageKeyService::create_workspace);
    serve_whole(front_, message_keys_, &MessageKeyService::create_subjects);
    serve(front_, message_keys_, &MessageKeyService::seal_keys);
    serve(front_, message_keys_, &MessageKeyService::open_keys);
    serve(front_, message_keys_, &MessageKeyService::seal_records);
    serve(front_, message_keys_, &MessageKeyService::open_records);
    serve(front_, message_keys_, &MessageKeyService::compute_macs);
    serve(front_, message_keys_, &MessageKeyService::identify);
    serve(front_, audit_, &AuditService::open_segment);
    serve(front_, audit_, &AuditService::check_macs);
    serve(front_, audit_, &AuditService::mark);
    serve(front_, audit_, &AuditService::check_marks);
    serve(front_, destined_, &DestinedService::seal);
    serve(courier_, destined_, &DestinedService::open);
    serve(front_, receipts_, &ReceiptService::sign_receipt);
    serve(front_, receipts_, &ReceiptService::sign_ledger);
    serve(front_, rotation_, &RotationService::count_wraps);
}

void KeeperService::serve_integrations() {
    serve_whole(front_, seals_, &SealService::prepare);
    serve_whole(front_, seals_, &SealService::add_holder);
    serve_whole(front_, seals_, &SealService::commit);
    serve_whole(front_, seals_, &SealService::abandon);
    serve_whole(front_, seals_, &SealService::cut_off);
    serve_whole(front_, leases_, &LeaseService::unlock);
    serve_whole(front_, leases_, &LeaseService::lock);
    serve_whole(front_, leases_, &LeaseService::seal_all);
    serve(front_, leases_, &LeaseService::touch);
    serve(front_, leases_, &LeaseService::status);
    serve_whole(front_, grants_, &GrantService::make);
    serve_whole(front_, grants_, &GrantService::revoke);
    serve(front_, grants_, &GrantService::mint);
    serve(courier_, grants_, &GrantService::redeem);
}

void KeeperService::serve_operators() {
    serve_whole(operators_, operator_, &OperatorService::make_recovery_kit);
    serve_whole(operators_, operator_, &OperatorService::rewrap_root_key);
    serve_whole(operators_, rotation_, &RotationService::begin);
    serve(operators_, rotation_, &RotationService::status);
    serve_whole(operators_, rotation_, &RotationService::prepare_root_key);
    serve_whole(operators_, rotation_, &RotationService::commit_root_key);
}

async::Job KeeperService::stop() {
    core_->jobs.cancel();
    co_await core_->jobs.join();
}

Result<> create_keyring(const OpenKeyringOptions& options, const Secret& root_key) {
    POSTERN_TRY(const auto store, open_store(options, true));
    POSTERN_TRY(const auto head, store->head());
    if (head) return fail(VaultError::keyring_exists);
    auto made = Keyring::make(root_key);
    if (auto created = store->create(std::move(made.head), std::move(made.installation));
        !created) {
        return created;
    }
    return store->restore_reserve();
}

Result<OpenKeyring> open_keyring(const OpenKeyringOptions& options, const Secret& root_key) {
    POSTERN_TRY(auto found, find_store(options));
    POSTERN_TRY(auto keyring, Keyring::open(root_key, found.head));
    return OpenKeyring{std::move(found.store), std::move(keyring)};
}

Result<std::string> wanted_root_key(const OpenKeyringOptions& options) {
    POSTERN_TRY(const auto found, find_store(options));
    return found.head.fingerprint;
}

}  // namespace postern::vault
