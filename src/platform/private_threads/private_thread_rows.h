#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

/// Rows of who sees which private thread. Each function is part of the caller's transaction; its
/// errors are those of the store.
namespace postern::private_threads::rows {

/// Private to this person from now on: of a thread that is made in this transaction.
Result<> begin(
    store::Transaction& tx, WorkspaceId workspace, ThreadId thread, PersonId person, UnixMs now_ms);
/// Who sees it, by id; nothing: everybody does.
Result<std::optional<std::vector<PersonId>>> people_of(store::Transaction& tx,
                                                       WorkspaceId workspace,
                                                       ThreadId thread);
/// False when they see it already.
Result<bool> add(
    store::Transaction& tx, WorkspaceId workspace, ThreadId thread, PersonId person, UnixMs now_ms);
/// False when they were none of its people.
Result<bool> take_out(store::Transaction& tx,
                      WorkspaceId workspace,
                      ThreadId thread,
                      PersonId person);
/// Everybody sees it from now on.
Result<> share(store::Transaction& tx, WorkspaceId workspace, ThreadId thread);
/// Somebody who no longer works here is none of anything's people.
Result<> end_place(store::Transaction& tx, WorkspaceId workspace, PersonId person);

struct PrivateThread {
    ThreadId id;
    std::vector<PersonId> people;
};
/// Newest first; before a null id: from the newest.
Result<std::vector<PrivateThread>> list(store::Transaction& tx,
                                        WorkspaceId workspace,
                                        ThreadId before,
                                        std::int64_t limit);
/// How many each person sees.
Result<std::vector<std::pair<PersonId, std::int64_t>>> count_by_person(store::Transaction& tx,
                                                                       WorkspaceId workspace);

}  // namespace postern::private_threads::rows
