#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/limits.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/transaction.h"

#include <boost/asio/awaitable.hpp>
#include <string_view>
#include <utility>

namespace postern::integrations {

async::Task<> Integrations::undo_connect(Operation operation) {
    // Nobody was told that it exists, and a generated secret was never shown.
    keys::CutOff ask{operation.workspace, operation.integration};
    auto done = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!done && !done.error().is(keys::KeyError::unknown_integration)) {
        co_return fail(std::move(done.error()));
    }
    const auto body = [operation](store::Transaction& tx) -> Result<> {
        const auto& o = operation;
        if (auto gone = rows::delete_integration(tx, o.workspace, o.integration); !gone) {
            return gone;
        }
        return rows::delete_operations_of(tx, o.workspace, o.integration);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<> Integrations::undo_left_connects(WorkspaceId workspace, IntegrationId id) {
    const auto body = [workspace, id](store::Transaction& tx) {
        return rows::left_connects(tx, workspace, id);
    };
    auto left = co_await parts_.database.read(body);
    if (!left) co_return fail(std::move(left.error()));
    for (auto& operation : *left) {
        log(LogLevel::info, "operation_recovered", {{"integration", id}});
        auto done = co_await undo_connect(std::move(operation));
        if (!done) co_return fail(std::move(done.error()));
    }
    co_return Result<>{};
}

async::Task<> Integrations::finish(Operation operation) {
    if (operation.kind == "connect") co_return co_await undo_connect(std::move(operation));
    if (operation.kind == "reconnect") {
        keys::CommitSeal commit{operation.workspace, operation.integration, operation.epoch, 0};
        auto done = co_await parts_.keeper.call(std::move(commit), keeper_deadline());
        if (!done) co_return fail(std::move(done.error()));
        co_return co_await finish_replacement(std::move(operation));
    }
    Result<Receipt> receipt{};
    if (operation.kind == "reseal") {
        receipt = co_await finish_reseal(std::move(operation));
    } else {
        receipt = co_await finish_ending(std::move(operation));
    }
    if (!receipt) co_return fail(std::move(receipt.error()));
    co_return Result<>{};
}

/// A new seal that keeper no longer knows of was replaced by a later one, or never came to be.
async::Task<> Integrations::forget_replacement(Operation operation) {
    const auto body = [operation](store::Transaction& tx) -> Result<> {
        const auto& o = operation;
        if (auto gone = rows::delete_seal(tx, o.workspace, o.integration, o.epoch); !gone) {
            return gone;
        }
        return rows::delete_operation(tx, o.workspace, o.receipt);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<> Integrations::finish_or_forget(Operation operation) {
    auto done = co_await finish(operation);
    const bool replacement = operation.kind == "reseal" || operation.kind == "reconnect";
    if (!done && replacement && done.error().is(keys::KeyError::stale_epoch)) {
        co_return co_await forget_replacement(std::move(operation));
    }
    co_return done;
}

async::Task<> Integrations::finish_left(WorkspaceId workspace, IntegrationId id) {
    const auto body = [workspace, id](store::Transaction& tx) {
        return rows::left_replacements(tx, workspace, id);
    };
    auto left = co_await parts_.database.read(body);
    if (!left) co_return fail(std::move(left.error()));
    if (!left->empty() && ending_.contains(id)) co_return fail(IntegrationError::busy);
    for (auto& operation : *left) {
        log(LogLevel::info, "operation_recovered", {{"integration", id}});
        auto done = co_await finish_or_forget(std::move(operation));
        if (!done) co_return fail(std::move(done.error()));
    }
    co_return Result<>{};
}

async::Task<> Integrations::recover_one(Operation operation) {
    const Change change(busy_, operation.integration);
    if (!change.mine() || ending_.contains(operation.integration)) co_return Result<>{};
    // It was listed a while ago: what was finished since is not done, or undone, once more.
    const auto body = [workspace = operation.workspace,
                       receipt = operation.receipt](store::Transaction& tx) {
        return rows::has_operation(tx, workspace, receipt);
    };
    const auto is_left = co_await parts_.database.read(body);
    if (!is_left) co_return fail(is_left.error());
    if (!*is_left) co_return Result<>{};
    log(LogLevel::info, "operation_recovered", {{"integration", operation.integration}});
    co_return co_await finish_or_forget(std::move(operation));
}

async::Task<> Integrations::recover() {
    const auto body = [](store::Transaction& tx) { return rows::list_operations(tx); };
    auto operations = co_await parts_.database.read(body);
    if (!operations) co_return fail(std::move(operations.error()));
    for (auto& operation : *operations) {
        const auto id = operation.integration;
        auto done = co_await recover_one(std::move(operation));
        // One that cannot be finished now is tried again, and holds up nothing else.
        if (!done) {
            log(LogLevel::error, "operation_not_finished",
                {{"integration", id}, {"error", done.error()}});
        }
    }
    auto dropped = co_await drop_dead_grants();
    if (dropped) co_await announce_all(std::move(*dropped));
    if (!dropped) log(LogLevel::warning, "grants_not_dropped", {{"error", dropped.error()}});
    co_return Result<>{};
}

}  // namespace postern::integrations
