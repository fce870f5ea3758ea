#include "features/identity/client.h"
#include "features/identity/known_clients.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/net/ip_address.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace postern::identity {

using store::Clear;
using store::done;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_any =
    "SELECT 1 FROM known_clients WHERE workspace_id = $1 AND person_id = $2 LIMIT 1";
constexpr SqlText k_update =
    "UPDATE known_clients SET seen_at_ms = $4 WHERE workspace_id = $1 AND person_id = $2 AND "
    "client_token = $3";
constexpr SqlText k_insert =
    "INSERT INTO known_clients (workspace_id, person_id, client_token, seen_at_ms) VALUES ($1, $2, "
    "$3, $4)";
constexpr SqlText k_delete_old =
    "DELETE FROM known_clients WHERE workspace_id = $1 AND person_id = $2 AND seen_at_ms < $3";
constexpr SqlText k_delete = "DELETE FROM known_clients WHERE workspace_id = $1 AND person_id = $2";

constexpr std::size_t k_network_bytes_v4 = 3;
constexpr std::size_t k_network_bytes_v6 = 6;

}  // namespace

std::string network_of(const std::string& text) {
    const auto address = net::IpAddress::parse(text);
    if (!address) return {};
    const auto size = address->is_v4() ? k_network_bytes_v4 : k_network_bytes_v6;
    return codec::hex(address->bytes().first(size));
}

async::Task<Bytes> client_token(ipc::Link* keeper, PersonId person, Client client) {
    auto name = std::move(client.device);
    std::erase_if(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    // No address has a space: nobody signs in with this text.
    const auto text =
        "client of " + person.text() + " in " + network_of(client.address) + " with " + name;
    co_return co_await keys::compute_mac(keeper, k_installation, keys::MacPurpose::person_address,
                                         to_bytes(text), Deadline::in(std::chrono::seconds(20)));
}

Result<> tell(Transaction& tx, PersonId person, const ClientNews& news, UnixMs now_ms) {
    if (news.client.empty()) return {};
    POSTERN_TRY(const bool is_new, rows::note_client(tx, person, news.client, now_ms));
    return is_new ? own_mail::OwnMail::put(tx, news.letter) : Result<>{};
}

namespace rows {

Result<bool> note_client(Transaction& tx, PersonId person, const Bytes& token, UnixMs now_ms) {
    const auto oldest = now_ms - k_client_known_s * 1000;
    auto pruned = done(tx.execute(k_delete_old, {k_installation, person, oldest}));
    if (!pruned) return fail(std::move(pruned.error()));
    POSTERN_TRY(const auto seen,
                tx.execute(k_update, {k_installation, person, Clear::bytes(token), now_ms}));
    if (seen > 0) return false;
    POSTERN_TRY(const auto any, tx.query_one(k_any, {k_installation, person}));
    auto stored = done(tx.execute(k_insert, {k_installation, person, Clear::bytes(token), now_ms}));
    if (!stored) return fail(std::move(stored.error()));
    return any.has_value();
}

Result<> delete_clients(Transaction& tx, PersonId person) {
    return done(tx.execute(k_delete, {k_installation, person}));
}

}  // namespace rows
}  // namespace postern::identity
