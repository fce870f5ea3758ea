#include "features/mail/mail_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::rows {

using store::Clear;
using store::done;
using store::Row;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_load =
    "SELECT looks_by, probed_at_ms, authserv_id, authserv_is_open FROM mailbox_probes "
    "WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_put_authserv =
    "INSERT INTO mailbox_probes (workspace_id, integration_id, looks_by, probed_at_ms, "
    "authserv_id, authserv_is_open) VALUES ($1, $2, 'search', 0, $3, 0) "
    "ON CONFLICT (workspace_id, integration_id) DO UPDATE SET authserv_id = excluded.authserv_id, "
    "authserv_is_open = 0";

constexpr SqlText k_put_probe =
    "INSERT INTO mailbox_probes (workspace_id, integration_id, looks_by, probed_at_ms, "
    "authserv_id, authserv_is_open) VALUES ($1, $2, $3, $4, NULL, 1) "
    "ON CONFLICT (workspace_id, integration_id) DO UPDATE SET looks_by = excluded.looks_by, "
    "probed_at_ms = excluded.probed_at_ms, authserv_is_open = 1";
constexpr SqlText k_insert_learned =
    "INSERT INTO learned_ids (workspace_id, integration_id, id_mac, thread_id, message_id, id, "
    "learned_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT (workspace_id, integration_id, id_mac) DO NOTHING";
constexpr SqlText k_learned =
    "SELECT id_mac, thread_id, message_id, id FROM learned_ids WHERE workspace_id = $1 AND "
    "integration_id = $2 ORDER BY message_id DESC LIMIT $3";
constexpr SqlText k_find_learned =
    "SELECT message_id FROM learned_ids WHERE workspace_id = $1 AND integration_id = $2 AND "
    "id_mac = $3";
constexpr SqlText k_newest_sent =
    "SELECT m.message_id FROM messages m JOIN threads t ON t.workspace_id = m.workspace_id AND "
    "t.thread_id = m.thread_id WHERE m.workspace_id = $1 AND t.integration_id = $2 AND "
    "m.direction = 'out' AND m.state = 'sent' ORDER BY m.message_id DESC LIMIT 1";

Result<std::optional<MessageRow>> named(Transaction& tx,
                                        WorkspaceId workspace,
                                        const std::optional<Row>& row) {
    if (!row) return std::optional<MessageRow>{};
    POSTERN_TRY(auto message, load_message(tx, workspace, row->id<MessageTag>(0)));
    return std::optional<MessageRow>(std::move(message));
}

}  // namespace

Result<ProbeRow> load_probe(Transaction& tx, WorkspaceId workspace, IntegrationId integration) {
    POSTERN_TRY(const auto row, tx.query_one(k_load, {workspace, integration}));
    ProbeRow out;
    if (!row) return out;
    out.looks_by_headers = row->clear_text(0) == "headers";
    out.probed_at_ms = row->integer(1);
    out.authserv_id = row->maybe_clear_text(2).value_or("");
    out.authserv_is_open = row->integer(3) != 0;
    return out;
}

Result<> put_authserv(Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      const std::string& server) {
    return done(tx.execute(k_put_authserv, {workspace, integration, Clear::text(server)}));
}

Result<> put_probe(Transaction& tx,
                   WorkspaceId workspace,
                   IntegrationId integration,
                   bool looks_by_headers,
                   UnixMs now_ms) {
    const auto by = Clear::text(looks_by_headers ? "headers" : "search");
    return done(tx.execute(k_put_probe, {workspace, integration, by, now_ms}));
}

Result<> insert_learned(Transaction& tx,
                        WorkspaceId workspace,
                        IntegrationId integration,
                        const LearnedRow& learned,
                        UnixMs now_ms) {
    return done(tx.execute(
        k_insert_learned, {workspace, integration, Clear::bytes(learned.id_mac), learned.thread,
                           learned.message, store::SealedBytes(Bytes(learned.sealed_id)), now_ms}));
}

Result<std::vector<LearnedRow>> load_learned(Transaction& tx,
                                             WorkspaceId workspace,
                                             IntegrationId integration,
                                             std::int64_t limit) {
    POSTERN_TRY(const auto found, tx.query(k_learned, {workspace, integration, limit}));
    std::vector<LearnedRow> out;
    for (const auto& row : found) {
        out.push_back({row.clear_bytes(0), row.id<ThreadTag>(1), row.id<MessageTag>(2),
                       row.sealed(3).take()});
    }
    std::ranges::reverse(out);
    return out;
}

Result<std::optional<MessageRow>> find_learned(Transaction& tx,
                                               WorkspaceId workspace,
                                               IntegrationId integration,
                                               const Bytes& id_mac) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_learned, {workspace, integration, Clear::bytes(id_mac)}));
    return named(tx, workspace, row);
}

Result<std::optional<MessageRow>> newest_sent(Transaction& tx,
                                              WorkspaceId workspace,
                                              IntegrationId integration) {
    POSTERN_TRY(const auto row, tx.query_one(k_newest_sent, {workspace, integration}));
    return named(tx, workspace, row);
}

}  // namespace postern::mail::rows
