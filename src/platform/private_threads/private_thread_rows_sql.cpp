#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::private_threads::rows {

using store::done;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_begin = "INSERT INTO private_threads (workspace_id, thread_id) VALUES ($1, $2)";
constexpr SqlText k_find =
    "SELECT thread_id FROM private_threads WHERE workspace_id = $1 AND thread_id = $2";
constexpr SqlText k_people =
    "SELECT person_id FROM thread_members WHERE workspace_id = $1 AND thread_id = $2 "
    "ORDER BY person_id";
constexpr SqlText k_add =
    "INSERT INTO thread_members (workspace_id, thread_id, person_id, added_at_ms) "
    "VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, thread_id, person_id) DO NOTHING";
constexpr SqlText k_take_out =
    "DELETE FROM thread_members WHERE workspace_id = $1 AND thread_id = $2 AND person_id = $3";
constexpr SqlText k_take_all_out =
    "DELETE FROM thread_members WHERE workspace_id = $1 AND thread_id = $2";
constexpr SqlText k_share =
    "DELETE FROM private_threads WHERE workspace_id = $1 AND thread_id = $2";
constexpr SqlText k_end_place =
    "DELETE FROM thread_members WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_list =
    "SELECT thread_id FROM private_threads WHERE workspace_id = $1 AND thread_id < $2 "
    "ORDER BY thread_id DESC LIMIT $3";
constexpr SqlText k_count =
    "SELECT person_id, COUNT(*) FROM thread_members WHERE workspace_id = $1 GROUP BY person_id "
    "ORDER BY person_id";

/// Behind every id there is.
ThreadId last_id() {
    std::array<std::uint8_t, 16> bytes{};
    bytes.fill(0xff);
    return ThreadId(bytes);
}

Result<std::vector<PersonId>> people_in(Transaction& tx, WorkspaceId workspace, ThreadId thread) {
    POSTERN_TRY(const auto found, tx.query(k_people, {workspace, thread}));
    std::vector<PersonId> out;
    out.reserve(found.size());
    for (const auto& row : found)
        out.push_back(row.id<PersonTag>(0));
    return out;
}

}  // namespace

Result<> begin(
    Transaction& tx, WorkspaceId workspace, ThreadId thread, PersonId person, UnixMs now_ms) {
    if (auto begun = done(tx.execute(k_begin, {workspace, thread})); !begun) return begun;
    return done(tx.execute(k_add, {workspace, thread, person, now_ms}));
}

Result<std::optional<std::vector<PersonId>>> people_of(Transaction& tx,
                                                       WorkspaceId workspace,
                                                       ThreadId thread) {
    POSTERN_TRY(const auto row, tx.query_one(k_find, {workspace, thread}));
    if (!row) return std::optional<std::vector<PersonId>>{};
    POSTERN_TRY(auto people, people_in(tx, workspace, thread));
    return std::optional<std::vector<PersonId>>(std::move(people));
}

Result<bool> add(
    Transaction& tx, WorkspaceId workspace, ThreadId thread, PersonId person, UnixMs now_ms) {
    POSTERN_TRY(const auto added, tx.execute(k_add, {workspace, thread, person, now_ms}));
    return added != 0;
}

Result<bool> take_out(Transaction& tx, WorkspaceId workspace, ThreadId thread, PersonId person) {
    POSTERN_TRY(const auto gone, tx.execute(k_take_out, {workspace, thread, person}));
    return gone != 0;
}

Result<> share(Transaction& tx, WorkspaceId workspace, ThreadId thread) {
    if (auto gone = done(tx.execute(k_take_all_out, {workspace, thread})); !gone) return gone;
    return done(tx.execute(k_share, {workspace, thread}));
}

Result<> end_place(Transaction& tx, WorkspaceId workspace, PersonId person) {
    return done(tx.execute(k_end_place, {workspace, person}));
}

Result<std::vector<PrivateThread>> list(Transaction& tx,
                                        WorkspaceId workspace,
                                        ThreadId before,
                                        std::int64_t limit) {
    const auto below = before.is_null() ? last_id() : before;
    POSTERN_TRY(const auto found, tx.query(k_list, {workspace, below, limit}));
    std::vector<PrivateThread> out;
    for (const auto& row : found) {
        const auto id = row.id<ThreadTag>(0);
        POSTERN_TRY(auto people, people_in(tx, workspace, id));
        out.push_back({id, std::move(people)});
    }
    return out;
}

Result<std::vector<std::pair<PersonId, std::int64_t>>> count_by_person(Transaction& tx,
                                                                       WorkspaceId workspace) {
    POSTERN_TRY(const auto found, tx.query(k_count, {workspace}));
    std::vector<std::pair<PersonId, std::int64_t>> out;
    out.reserve(found.size());
    for (const auto& row : found)
        out.emplace_back(row.id<PersonTag>(0), row.integer(1));
    return out;
}

}  // namespace postern::private_threads::rows
