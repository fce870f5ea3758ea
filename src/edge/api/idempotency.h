#pragma once

#include "edge/api/router.h"
#include "foundation/base/clock.h"
#include "platform/store/database.h"

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace postern::api {

/// The row of one key: MACs and ids, never a body. Status 0: not finished.
struct IdempotencyRow {
    Bytes key_mac;
    Bytes request_mac;
    int status = 0;
    std::array<std::uint8_t, 16> resource{};
    UnixMs expires_at_ms = 0;
};

namespace rows {
/// The row that counts: the one there, else this one, stored now. Forgets expired ones.
Result<IdempotencyRow> claim(store::Transaction& tx,
                             WorkspaceId workspace,
                             const IdempotencyRow& row,
                             UnixMs now_ms);
Result<> finish(store::Transaction& tx, WorkspaceId workspace, const IdempotencyRow& row);
Result<> forget(store::Transaction& tx, WorkspaceId workspace, const Bytes& key_mac);
}  // namespace rows

/// 1 to 255 visible ASCII characters.
[[nodiscard]] bool is_idempotency_key(std::string_view key);

/// Carries out a request at most once per Idempotency-Key, workspace and 24 hours.
///
/// What is recorded: successes. A refused request leaves nothing, so that it can be repaired and
/// sent again under its key. Where the end is not known (a 5xx, a crash) the row stays unfinished,
/// and the next request with the key looks for what has the reserved id: if it is there that is
/// the answer, else the request is carried out, with the same id. Executor: front's thread.
class Idempotency {
public:
    /// Errors: idempotency_key_invalid, idempotency_key_reused, idempotency_in_progress, keeper's.
    Answer run(Call call, identity::Actor actor, Endpoint endpoint);

private:
    using RunningKey = std::pair<WorkspaceId, Bytes>;
    class Running;

    async::Task<IdempotencyRow> make_row(Call call, WorkspaceId workspace, std::string key);
    Answer run_claimed(Call call, identity::Actor actor, Endpoint endpoint, IdempotencyRow row);
    Answer replay(Call call, identity::Actor actor, Endpoint endpoint, IdempotencyRow row);

    std::set<RunningKey> running_;
};

}  // namespace postern::api
