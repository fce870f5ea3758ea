#include "features/mail/mail_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace postern::mail::rows {

using store::Clear;
using store::done;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert_address =
    "INSERT INTO reply_addresses (workspace_id, integration_id, tag_mac, thread_id) "
    "VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, integration_id, tag_mac) DO NOTHING";
constexpr SqlText k_find_address =
    "SELECT t.token FROM reply_addresses a JOIN threads t ON t.workspace_id = a.workspace_id AND "
    "t.thread_id = a.thread_id WHERE a.workspace_id = $1 AND a.integration_id = $2 AND "
    "a.tag_mac = $3";
constexpr SqlText k_load_probe =
    "SELECT state, token, place_mac, sent_at_ms FROM reply_probes "
    "WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_put_probe =
    "INSERT INTO reply_probes (workspace_id, integration_id, state, token, place_mac, sent_at_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, integration_id) DO UPDATE SET "
    "state = excluded.state, token = excluded.token, place_mac = excluded.place_mac, "
    "sent_at_ms = excluded.sent_at_ms";
constexpr SqlText k_settle_probe =
    "UPDATE reply_probes SET state = $4 WHERE workspace_id = $1 AND integration_id = $2 AND "
    "token = $3 AND state <> 'arrived'";

std::string_view text_of(ReplyProbeState state) {
    switch (state) {
        case ReplyProbeState::sent: return "sent";
        case ReplyProbeState::arrived: return "arrived";
        case ReplyProbeState::returned: return "returned";
        case ReplyProbeState::not_sent: return "not_sent";
    }
    return "not_sent";
}

ReplyProbeState state_of(std::string_view text) {
    for (const auto state :
         {ReplyProbeState::sent, ReplyProbeState::arrived, ReplyProbeState::returned}) {
        if (text == text_of(state)) return state;
    }
    return ReplyProbeState::not_sent;
}

std::array<std::uint8_t, 16> token_of(const Bytes& bytes) {
    std::array<std::uint8_t, 16> out{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
    return out;
}

}  // namespace

Result<> insert_reply_address(Transaction& tx,
                              WorkspaceId workspace,
                              IntegrationId integration,
                              const Bytes& tag_mac,
                              ThreadId thread) {
    return done(
        tx.execute(k_insert_address, {workspace, integration, Clear::bytes(tag_mac), thread}));
}

Result<std::optional<ThreadRow>> find_reply_address(Transaction& tx,
                                                    WorkspaceId workspace,
                                                    IntegrationId integration,
                                                    const Bytes& tag_mac) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_address, {workspace, integration, Clear::bytes(tag_mac)}));
    if (!row) return std::optional<ThreadRow>{};
    return find_thread(tx, workspace, token_of(row->clear_bytes(0)));
}

Result<std::optional<ReplyProbeRow>> load_reply_probe(Transaction& tx,
                                                      WorkspaceId workspace,
                                                      IntegrationId integration) {
    POSTERN_TRY(const auto row, tx.query_one(k_load_probe, {workspace, integration}));
    if (!row) return std::optional<ReplyProbeRow>{};
    ReplyProbeRow out;
    out.state = state_of(row->clear_text(0));
    out.token = token_of(row->clear_bytes(1));
    out.place_mac = row->clear_bytes(2);
    out.sent_at_ms = row->integer(3);
    return std::optional<ReplyProbeRow>(std::move(out));
}

Result<> put_reply_probe(Transaction& tx,
                         WorkspaceId workspace,
                         IntegrationId integration,
                         const ReplyProbeRow& probe) {
    return done(tx.execute(
        k_put_probe, {workspace, integration, Clear::text(text_of(probe.state)),
                      Clear::bytes(probe.token), Clear::bytes(probe.place_mac), probe.sent_at_ms}));
}

Result<> settle_reply_probe(Transaction& tx,
                            WorkspaceId workspace,
                            IntegrationId integration,
                            const std::array<std::uint8_t, 16>& token,
                            ReplyProbeState state) {
    return done(tx.execute(k_settle_probe, {workspace, integration, Clear::bytes(token),
                                            Clear::text(text_of(state))}));
}

}  // namespace postern::mail::rows
