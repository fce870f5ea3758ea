#pragma once

#include "platform/audit/record.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <optional>
#include <vector>

/// Rows of the audit record. Each function is part of the caller's transaction; its errors are
/// those of the store.
namespace postern::audit::rows {

Result<std::vector<WorkspaceId>> chains(store::Transaction& tx);
Result<std::optional<StoredRecord>> newest(store::Transaction& tx, WorkspaceId workspace);
Result<> insert(store::Transaction& tx, WorkspaceId workspace, const StoredRecord& record);
/// Newest first, smaller numbers than `before`.
Result<std::vector<StoredRecord>> before(store::Transaction& tx,
                                         WorkspaceId workspace,
                                         std::int64_t number,
                                         std::int64_t limit);
/// Oldest first, larger numbers than `number`.
Result<std::vector<StoredRecord>> after(store::Transaction& tx,
                                        WorkspaceId workspace,
                                        std::int64_t number,
                                        std::int64_t limit);

}  // namespace postern::audit::rows
