#pragma once

#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/evolving_key.h"
#include "foundation/crypto/hash.h"
#include "platform/audit/record.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace postern::audit {

/// The key of each workspace's present segment. It moves on when records are committed: what was
/// written cannot be written anew with what is here. Threads: any.
class ChainKeys {
public:
    /// Whether records can be written without a new segment.
    [[nodiscard]] bool has_room(WorkspaceId workspace) const;
    /// In the place of the one before; records that wait for the store go on with the new one.
    void begin(WorkspaceId workspace, Bytes label, Secret key);
    /// Makes `record` the one after `last` (nothing: the first): its number, segment, step and MAC.
    /// Errors: rolled_back when the store is older than what was committed; segment_full.
    [[nodiscard]] Result<> link(WorkspaceId workspace,
                                const std::optional<StoredRecord>& last,
                                StoredRecord& record) const;
    /// This record is committed.
    void committed(WorkspaceId workspace, const StoredRecord& record);

private:
    struct Chain {
        Bytes label;
        crypto::EvolvingKey key;
        std::int64_t number = 0;  ///< of the newest record that was committed here
    };
    mutable std::mutex mutex_;
    std::map<WorkspaceId, Chain> chains_;
};

}  // namespace postern::audit
