#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"

#include <cstdint>

namespace postern::crypto {

/// Where a ciphertext belongs. It goes into the additional data of every seal, so that a ciphertext
/// which somebody moved to another workspace, column, row or epoch does not open.
struct Place {
    WorkspaceId workspace;
    std::uint16_t column = 0;  ///< frozen id of the data map
    Bytes row;                 ///< the rest of the row's key
    std::uint64_t epoch = 0;   ///< generation of the key or the seal; 0 where there is none

    /// Format version, then every field at a fixed width or behind its length: two different places
    /// never have the same bytes.
    [[nodiscard]] Bytes canonical() const;
};

/// Joins ids into a row key.
template <typename... Tag>
[[nodiscard]] Bytes row_key(const Id<Tag>&... ids) {
    Bytes row;
    (row.insert(row.end(), ids.raw().begin(), ids.raw().end()), ...);
    return row;
}

}  // namespace postern::crypto
