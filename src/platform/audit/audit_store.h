#pragma once

#include "platform/audit/anchor_line.h"
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

/// One record's MAC; nothing: it is not there.
Result<std::optional<Bytes>> mac_at(store::Transaction& tx,
                                    WorkspaceId workspace,
                                    std::int64_t number);

/// Where a record begins, since what was older went.
struct Base {
    std::int64_t number = 0;  ///< of the last one that went
    Bytes record_mac;
    UnixMs at_ms = 0;
    Bytes mac;  ///< keeper's
};
Result<std::optional<Base>> load_base(store::Transaction& tx, WorkspaceId workspace);
/// Deletes what it says is gone, too.
Result<> begin_after(store::Transaction& tx, WorkspaceId workspace, const Base& base);

/// How far each workspace was anchored, without keeper's MAC.
Result<std::vector<Anchor>> kept_anchors(store::Transaction& tx);
/// One that is not as far as what is kept changes nothing.
Result<> keep_anchor(store::Transaction& tx, const Anchor& anchor);
Result<> forget_anchors(store::Transaction& tx);

}  // namespace postern::audit::rows
