#include "edge/api/idempotency.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <utility>

namespace postern::api::rows {

using store::Clear;
using store::done;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_forget_expired =
    "DELETE FROM idempotency WHERE workspace_id = $1 AND expires_at_ms <= $2";
constexpr SqlText k_load =
    "SELECT request_mac, status, resource_id, expires_at_ms FROM idempotency WHERE "
    "workspace_id = $1 AND key_mac = $2";
constexpr SqlText k_insert =
    "INSERT INTO idempotency (workspace_id, key_mac, request_mac, status, resource_id, "
    "expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr SqlText k_finish =
    "UPDATE idempotency SET status = $3, resource_id = $4 WHERE workspace_id = $1 AND "
    "key_mac = $2";
constexpr SqlText k_forget = "DELETE FROM idempotency WHERE workspace_id = $1 AND key_mac = $2";

}  // namespace

Result<IdempotencyRow> claim(Transaction& tx,
                             WorkspaceId workspace,
                             const IdempotencyRow& row,
                             UnixMs now_ms) {
    if (auto gone = done(tx.execute(k_forget_expired, {workspace, now_ms})); !gone) {
        return fail(std::move(gone.error()));
    }
    POSTERN_TRY(const auto found, tx.query_one(k_load, {workspace, Clear::bytes(row.key_mac)}));
    if (!found) {
        auto stored = done(tx.execute(
            k_insert, {workspace, Clear::bytes(row.key_mac), Clear::bytes(row.request_mac),
                       row.status, Clear::bytes(row.resource), row.expires_at_ms}));
        if (!stored) return fail(std::move(stored.error()));
        return row;
    }
    IdempotencyRow present;
    present.key_mac = row.key_mac;
    present.request_mac = found->clear_bytes(0);
    present.status = static_cast<int>(found->integer(1));
    const auto resource = found->clear_bytes(2);
    if (resource.size() != present.resource.size()) {
        return fail(store::StoreError::corrupt, "an idempotency row's id");
    }
    std::copy(resource.begin(), resource.end(), present.resource.begin());
    present.expires_at_ms = found->integer(3);
    return present;
}

Result<> finish(Transaction& tx, WorkspaceId workspace, const IdempotencyRow& row) {
    return done(tx.execute(
        k_finish, {workspace, Clear::bytes(row.key_mac), row.status, Clear::bytes(row.resource)}));
}

Result<> forget(Transaction& tx, WorkspaceId workspace, const Bytes& key_mac) {
    return done(tx.execute(k_forget, {workspace, Clear::bytes(key_mac)}));
}

}  // namespace postern::api::rows
