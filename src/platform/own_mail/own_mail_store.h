#pragma once

#include "foundation/base/clock.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace postern::own_mail {

/// A letter that waits.
struct QueuedRow {
    Bytes id;                   ///< 16 random bytes
    store::SealedBytes letter;  ///< bound to the id
    UnixMs created_at_ms = 0;
    UnixMs next_at_ms = 0;
    std::int64_t attempts = 0;
};

/// Each function is part of the caller's transaction; its errors are those of the store.
namespace rows {

Result<> insert(store::Transaction& tx, const QueuedRow& row);
/// Those whose time has come, the longest due first.
Result<std::vector<QueuedRow>> due(store::Transaction& tx, UnixMs now_ms, std::int64_t limit);
/// When the next one is due.
Result<std::optional<UnixMs>> next_due(store::Transaction& tx);
Result<> postpone(store::Transaction& tx, const Bytes& id, UnixMs next_at_ms);
Result<> remove(store::Transaction& tx, const Bytes& id);
Result<std::int64_t> count(store::Transaction& tx);

}  // namespace rows
}  // namespace postern::own_mail
