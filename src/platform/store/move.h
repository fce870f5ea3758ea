#pragma once

#include "foundation/base/result.h"
#include "platform/store/database.h"

#include <cstdint>

namespace postern::store {

/// Copies every row of a store into another one, perhaps on another engine, in one transaction, and
/// reads all of it back: the numbers of rows and a hash over them must be those of the source,
/// which is left as it is. A target that an earlier call did not finish is emptied first. The index
/// is not copied but emptied: it is made anew from the rows. Returns the number of rows.
/// Errors: not_empty for a target with other rows; corrupt when what was read back differs; those
/// of opening. Lifetime: blocks until it is done.
[[nodiscard]] Result<std::int64_t> copy_store(const Database::Options& from,
                                              const Database::Options& to);

/// Once the copy is the store in use: destroys the one it was copied from, and takes the mark of an
/// unfinished copy away. Without that mark it touches nothing: so it can be repeated.
[[nodiscard]] Result<> finish_move(const Database::Options& from, const Database::Options& to);

}  // namespace postern::store
