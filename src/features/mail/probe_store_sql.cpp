#include "features/mail/mail_store.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <string>
#include <utility>

namespace postern::mail::rows {

using store::Clear;
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
    auto put = tx.execute(k_put_authserv, {workspace, integration, Clear::text(server)});
    if (!put) return fail(std::move(put.error()));
    return {};
}

}  // namespace postern::mail::rows
