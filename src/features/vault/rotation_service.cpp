#include "features/vault/rotation_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/root_key.h"
#include "features/vault/turns.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/operator.h"
#include "platform/keys/seals.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/store/store_error.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::KeyError;
using std::chrono::milliseconds;

constexpr std::chrono::hours k_nap{24};
/// A batch takes a few milliseconds of the writing thread; as long again is everybody else's.
constexpr milliseconds k_pause_least{2};

Secret copy_of(const Secret& secret) {
    return secret.with_bytes(
        [](ByteView bytes) { return bytes.empty() ? Secret() : Secret::copy_of(bytes); });
}

/// One change of root and keyring keys at a time.
async::Task<Turns::Turn> take_turn(KeeperCore* core) {
    co_return co_await core->turns.take(IntegrationKey(), Deadline::in(k_turn_wait));
}

async::Task<> pause_after(Deadline::SteadyClock::time_point start) {
    const auto took =
        std::chrono::duration_cast<milliseconds>(Deadline::SteadyClock::now() - start);
    co_return co_await async::wait_until(Deadline::in(std::max(k_pause_least, took)));
}

/// Whether the keyring is under the keys before or the next ones nobody here knows then, and what
/// is wrapped under the wrong ones is lost. Keeper is started again, with both root keys.
void end_where_unknown(const Error& error) {
    if (!error.is(store::StoreError::outcome_unknown)) return;
    log(LogLevel::error, "keeper_ends", {{"error", error}});
    std::abort();
}

Result<RotationStart> plan(const Keyring& keyring,
                           const std::vector<WorkspaceKeyRows>& workspaces,
                           bool keyring_key) {
    RotationStart start;
    start.root_key = keyring.fingerprint();
    if (keyring_key) start.keyring_key = keyring.make_keyring_key();
    for (const auto& rows : workspaces) {
        const auto* key = start.keyring_key ? &*start.keyring_key : nullptr;
        POSTERN_TRY(auto rotation, keyring.rotate(rows, key));
        start.workspaces.push_back(std::move(rotation));
    }
    return start;
}

Result<std::vector<WorkspaceKeyRows>> all_workspaces(KeyringStore& store) {
    std::vector<WorkspaceKeyRows> all;
    POSTERN_TRY(const auto ids, store.all_workspaces());
    for (const auto id : ids) {
        POSTERN_TRY(auto rows, store.workspace_keys(id));
        if (rows) all.push_back(std::move(*rows));
    }
    return all;
}

}  // namespace

RotationService::RotationService(std::shared_ptr<KeeperCore> core)
    : core_(std::move(core)), begun_(core_->jobs.executor()) {}

async::Task<ipc::Nothing> RotationService::begin(keys::BeginRotation asked) {
    POSTERN_CO_TRY(const auto turn, co_await take_turn(core_.get()));
    auto looking = [store = &core_->store()] { return store->workspaces_in_rotation(); };
    POSTERN_CO_TRY(const auto rotating, co_await core_->reads.run(std::move(looking)));
    // Whoever asks again while one runs waits for that one.
    if (rotating.empty() && !core_->keyring.older_version()) {
        std::vector<WorkspaceKeyRows> workspaces;
        if (asked.workspaces) {
            auto reading = [store = &core_->store()] { return all_workspaces(*store); };
            POSTERN_CO_TRY(workspaces, co_await core_->reads.run(std::move(reading)));
        }
        POSTERN_CO_TRY(const auto start, plan(core_->keyring, workspaces, asked.keyring));
        // Known before it is in the store: what is under it there opens at once.
        if (start.keyring_key) {
            auto admitted = core_->keyring.admit(*start.keyring_key);
            if (!admitted) co_return fail(admitted.error());
        }
        auto beginning = [store = &core_->store(), start] { return store->begin_rotation(start); };
        const auto begun = co_await core_->writes.run(std::move(beginning));
        if (!begun) {
            end_where_unknown(begun.error());
            if (start.keyring_key) core_->keyring.drop_keyring_key(start.keyring_key->version);
            co_return fail(begun.error());
        }
        core_->keyring.forget_workspaces();
        moved_ = 0;
    }
    failure_.clear();
    running_ = true;
    begun_.set();
    co_return ipc::Nothing();
}

async::Task<keys::GetRotation::Answer> RotationService::status(keys::GetRotation) {
    co_return keys::GetRotation::Answer{running_, moved_, failure_};
}

async::Task<keys::CountWraps::Answer> RotationService::count_wraps(keys::CountWraps asked) {
    auto counting = [store = &core_->store(), planted = asked.planted] {
        return store->count_wraps(planted);
    };
    // What is planted is written before it is rolled back.
    auto& thread = asked.planted ? core_->writes : core_->reads;
    co_return co_await thread.run(std::move(counting));
}

async::Task<keys::PrepareRootKey::Answer> RotationService::prepare_root_key(
    keys::PrepareRootKey asked) {
    POSTERN_CO_TRY(const auto turn, co_await take_turn(core_.get()));
    auto looking = [store = &core_->store()] { return store->recovery_kit(); };
    POSTERN_CO_TRY(const auto kit, co_await core_->reads.run(std::move(looking)));
    // Without one, nothing on paper would restore the new key.
    if (!kit) co_return fail(KeyError::no_recovery_kit);
    POSTERN_CO_TRY(auto for_supervisor, os::duplicate(asked.file));
    Prepared prepared{make_root_key(), {}};
    prepared.fingerprint = fingerprint(prepared.root_key);
    auto writing = [file = std::move(asked.file), root_key = copy_of(prepared.root_key),
                    passphrase = copy_of(asked.passphrase), cost = core_->passphrase_cost] {
        return write_root_key(file.get(), root_key, passphrase, cost);
    };
    const auto written = co_await core_->secrets.run(std::move(writing));
    if (!written) co_return fail(written.error());
    // Keeper may end at any moment from here on: it is then started with both.
    auto offered = co_await core_->links->next_root_key(std::move(for_supervisor),
                                                        std::move(asked.passphrase));
    if (!offered) co_return fail(std::move(offered.error()));
    prepared_ = std::move(prepared);
    co_return keys::PrepareRootKey::Answer{prepared_->fingerprint};
}

async::Task<ipc::Nothing> RotationService::commit_root_key(keys::CommitRootKey asked) {
    POSTERN_CO_TRY(const auto turn, co_await take_turn(core_.get()));
    if (!prepared_ || prepared_->fingerprint != asked.fingerprint) {
        co_return fail(KeyError::stale_epoch, "root key");
    }
    auto reading = [store = &core_->store()] { return store->head(); };
    POSTERN_CO_TRY(const auto head, co_await core_->reads.run(std::move(reading)));
    auto looking = [store = &core_->store()] { return store->recovery_kit(); };
    POSTERN_CO_TRY(const auto kit, co_await core_->reads.run(std::move(looking)));
    if (!head || !kit) co_return fail(KeyError::no_recovery_kit);
    POSTERN_CO_TRY(auto change, core_->keyring.change_root_key(prepared_->root_key, *head, *kit));
    auto finished = co_await finish_root_key(std::move(change));
    if (!finished) co_return fail(std::move(finished.error()));
    co_return ipc::Nothing();
}

async::Task<> RotationService::finish_root_key(RootKeyChange change) {
    auto changing = [change = std::move(change)](KeyringStore& store) {
        return store.change_root_key(change);
    };
    auto changed = co_await core_->destroy(std::move(changing));
    if (!changed) end_where_unknown(changed.error());
    if (!changed) co_return changed;
    POSTERN_CHECK(prepared_.has_value());
    core_->keyring.set_root_key(std::move(prepared_->root_key));
    prepared_.reset();
    auto settled = co_await core_->links->root_key_changed();
    if (!settled) log(LogLevel::warning, "root_key_not_settled", {{"error", settled.error()}});
    // The marker of the change leads to the purge, now or after a crash.
    running_ = true;
    begun_.set();
    co_return Result<>();
}

async::Task<> RotationService::move_workspace_keys(std::uint32_t older) {
    // Gone where a rotation was not begun after all.
    while (core_->keyring.older_version() == older) {
        const auto start = Deadline::SteadyClock::now();
        auto reading = [store = &core_->store(), older] {
            return store->workspace_keys_under(older, k_batch);
        };
        POSTERN_CO_TRY(const auto rows, co_await core_->reads.run(std::move(reading)));
        if (rows.empty()) {
            auto finishing = [older](KeyringStore& store) {
                return store.finish_keyring_rotation(older);
            };
            POSTERN_CO_TRY(const auto done, co_await core_->destroy(std::move(finishing)));
            if (!done) continue;
            core_->keyring.drop_keyring_key(older);
            core_->keyring.forget_workspaces();
            co_return Result<>();
        }
        std::vector<WorkspaceKeyRow> moved;
        for (const auto& row : rows) {
            POSTERN_CO_TRY(auto fresh, core_->keyring.rewrap(row));
            moved.push_back(std::move(fresh));
        }
        auto writing = [store = &core_->store(), moved = std::move(moved)] {
            return store->rewrap_workspace_keys(moved);
        };
        auto written = co_await core_->writes.run(std::move(writing));
        const bool is_begun = written || !written.error().is(KeyError::keys_rotated);
        if (!written && is_begun) co_return written;
        if (written) moved_ += rows.size();
        auto paused = co_await pause_after(start);
        if (!paused) co_return paused;
    }
    co_return Result<>();
}

async::Task<std::size_t> RotationService::move_batch(WorkspaceId workspace, std::uint32_t before) {
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(workspace));
    auto reading = [store = &core_->store(), workspace, before,
                    keys]() -> Result<std::vector<WrapRow>> {
        POSTERN_TRY(auto rows, store->wraps_under(workspace, before, k_batch));
        for (auto& row : rows) {
            POSTERN_TRY(row, rewrap(*keys, workspace, std::move(row)));
        }
        return rows;
    };
    POSTERN_CO_TRY(auto rows, co_await core_->reads.run(std::move(reading)));
    const auto count = rows.size();
    if (count == 0) co_return count;
    auto writing = [store = &core_->store(), workspace, before, rows = std::move(rows)] {
        return store->rewrap(workspace, before, rows);
    };
    const auto written = co_await core_->writes.run(std::move(writing));
    if (!written) co_return fail(written.error());
    co_return count;
}

async::Task<> RotationService::move_wraps(WorkspaceId workspace) {
    auto looking = [store = &core_->store(), workspace] {
        return store->workspace_keys(workspace);
    };
    POSTERN_CO_TRY(const auto rows, co_await core_->reads.run(std::move(looking)));
    if (!rows || !rows->next) co_return Result<>();
    const auto before = rows->present.generation;
    while (true) {
        const auto start = Deadline::SteadyClock::now();
        POSTERN_CO_TRY(const auto count, co_await move_batch(workspace, before));
        moved_ += count;
        if (count == 0) {
            auto finishing = [workspace, before](KeyringStore& store) {
                return store.finish_workspace_rotation(workspace, before);
            };
            POSTERN_CO_TRY(const auto done, co_await core_->destroy(std::move(finishing)));
            if (!done) continue;
            core_->keyring.forget_workspaces();
            co_return Result<>();
        }
        auto paused = co_await pause_after(start);
        if (!paused) co_return paused;
    }
}

async::Task<bool> RotationService::is_left() {
    auto listing = [store = &core_->store()] { return store->workspaces_in_rotation(); };
    POSTERN_CO_TRY(const auto workspaces, co_await core_->reads.run(std::move(listing)));
    co_return !workspaces.empty() || core_->keyring.older_version().has_value();
}

async::Task<> RotationService::move_all() {
    if (const auto older = core_->keyring.older_version()) {
        auto moved = co_await move_workspace_keys(*older);
        if (!moved) co_return moved;
    }
    auto listing = [store = &core_->store()] { return store->workspaces_in_rotation(); };
    POSTERN_CO_TRY(const auto workspaces, co_await core_->reads.run(std::move(listing)));
    for (const auto workspace : workspaces) {
        auto moved = co_await move_wraps(workspace);
        if (!moved) co_return moved;
    }
    co_return Result<>();
}

async::Task<> RotationService::work() {
    auto looking = [store = &core_->store()] { return store->rotation_under_way(); };
    POSTERN_CO_TRY(const auto under_way, co_await core_->reads.run(std::move(looking)));
    if (!under_way) co_return Result<>();
    while (true) {
        auto moved = co_await move_all();
        if (!moved) co_return moved;
        // What is destroyed from here on is marked, and purged, again.
        POSTERN_CO_TRY(const auto turn, co_await take_turn(core_.get()));
        // Who had the turn may have begun one, which found the marker of this one there.
        POSTERN_CO_TRY(const auto left, co_await is_left());
        if (left) continue;
        auto purged = co_await core_->purge();
        if (!purged) co_return purged;
        auto ending = [store = &core_->store()] { return store->end_rotation(); };
        POSTERN_CO_TRY(const auto ended, co_await core_->writes.run(std::move(ending)));
        if (ended) co_return Result<>();
        // Keys that this keeper does not know: one that starts anew reads them.
        co_return fail(KeyError::keys_rotated, "keys of a rotation that was not read");
    }
}

async::Job RotationService::run() {
    while (true) {
        running_ = true;
        const auto worked = co_await work();
        if (!worked && worked.error().is(async::AsyncError::cancelled)) co_return;
        if (!worked) {
            failure_ = std::string(worked.error().code()) + " " + worked.error().detail();
            log(LogLevel::error, "rotation_failed", {{"error", worked.error()}});
        }
        running_ = false;
        const auto waited = co_await begun_.wait(Deadline::in(k_nap));
        if (!waited && waited.error().is(async::AsyncError::cancelled)) co_return;
    }
}

}  // namespace postern::vault
