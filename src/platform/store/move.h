#pragma once

#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/database.h"

#include <cstdint>

/// A store moves in these steps: check_target, copy_store, the switch, finish_move; abandon_copy
/// takes a copy back before the switch. From its copying to its finishing the target carries a
/// mark, and Database::open refuses it: one of the two is destroyed before the other is used.
namespace postern::store {

enum class MoveError { unfinished };

constexpr ErrorInfo describe(MoveError error) {
    switch (error) {
        case MoveError::unfinished:
            return {"move_unfinished",
                    "The stores were being moved to another engine; the same `postern "
                    "migrate-store` once more finishes that."};
    }
    return {"internal", "Something went wrong on our side."};
}

/// Whether this store carries the mark.
[[nodiscard]] Result<bool> is_unfinished(Connection& connection, const Database::Options& options);

/// Whether a store can be copied there, as far as can be told while nothing is changed. Errors:
/// not_empty, and those of opening.
[[nodiscard]] Result<> check_target(const Database::Options& to);

/// Copies every row of a store into another one, perhaps on another engine, in one transaction, and
/// reads all of it back: the numbers of rows and a hash over them must be those of the source,
/// which is left as it is. A target that an earlier call did not finish is emptied first. The index
/// is not copied but emptied: it is made anew from the rows. Returns the number of rows.
/// Errors: not_empty for a target with other rows; unfinished for a source that is such a target;
/// corrupt when what was read back differs; those of opening. Lifetime: blocks until it is done.
[[nodiscard]] Result<std::int64_t> copy_store(const Database::Options& from,
                                              const Database::Options& to);

/// Destroys a copy that did not become the store in use; what does not carry the mark is left
/// alone.
[[nodiscard]] Result<> abandon_copy(const Database::Options& to);

/// Once the copy is the store in use: destroys the one it was copied from, and takes the mark of an
/// unfinished copy away. Without that mark it touches nothing: so it can be repeated.
[[nodiscard]] Result<> finish_move(const Database::Options& from, const Database::Options& to);

}  // namespace postern::store
