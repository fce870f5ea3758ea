#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/store/transaction.h"

#include <optional>

namespace postern::identity {

struct ResetRow {
    crypto::Hash token_hash{};
    PersonId person;
    bool ends_factors = false;  ///< of the host's: second factors and recovery codes go, too
    UnixMs expires_at_ms = 0;
};

/// Each function is part of the caller's transaction; its errors are those of the store.
namespace rows {

/// In the place of the person's earlier ones.
Result<> insert_reset(store::Transaction& tx, const ResetRow& row, UnixMs now_ms);
/// One that is not too old.
Result<std::optional<ResetRow>> find_reset(store::Transaction& tx,
                                           const crypto::Hash& hash,
                                           UnixMs now_ms);
Result<> delete_resets(store::Transaction& tx, PersonId person);
/// Of everybody who works there.
Result<> delete_resets_of_people(store::Transaction& tx, WorkspaceId workspace);

}  // namespace rows
}  // namespace postern::identity
