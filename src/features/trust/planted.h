#pragma once

#include "features/trust/claim.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/store/database.h"

#include <memory>
#include <optional>
#include <utility>

namespace postern::trust {

/// What `look` sees once `plant` has run, in a transaction that is rolled back: nobody else ever
/// sees the fault, and nothing of it is stored.
template <typename T, typename Plant, typename Look>
async::Task<T> with_planted(store::Database* database, Plant plant, Look look) {
    const auto seen = std::make_shared<std::optional<T>>();
    const auto body = [seen, plant, look](store::Transaction& tx) -> Result<> {
        if (auto planted = plant(tx); !planted) return fail(std::move(planted.error()));
        POSTERN_TRY(auto found, look(tx));
        seen->emplace(std::move(found));
        return fail(TrustError::fault_planted);
    };
    auto ended = co_await database->write(body);
    if (ended || !ended.error().is(TrustError::fault_planted)) {
        co_return fail(ended ? Error(TrustError::out_of_sight) : ended.error());
    }
    auto found = std::move(*seen);
    if (!found) co_return fail(TrustError::out_of_sight);
    co_return std::move(*found);
}

/// The same, or what there is where nothing is planted.
template <typename T, typename Plant, typename Look>
async::Task<T> with_fault(store::Database* database, bool planted, Plant plant, Look look) {
    if (planted) co_return co_await with_planted<T>(database, std::move(plant), std::move(look));
    co_return co_await database->read(std::move(look));
}

}  // namespace postern::trust
