#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/private_threads/seen_sql.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::events {

using store::Clear;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_insert =
    "INSERT INTO events (workspace_id, number, at_ms, kind, ids, thread_id) SELECT $1, "
    "COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5 FROM events WHERE workspace_id = $1";
constexpr SqlText k_forget =
    "DELETE FROM events WHERE workspace_id = $1 AND number <= (SELECT MAX(number) FROM events "
    "WHERE workspace_id = $1) - $2";
constexpr auto k_after_seen = store::joined(
    "SELECT number, at_ms, kind, ids FROM events t WHERE workspace_id = $1 AND number > $3 AND "
    "(thread_id IS NULL OR ",
    private_threads::k_seen,
    ") ORDER BY number LIMIT 200");
constexpr SqlText k_after(k_after_seen);
constexpr std::size_t k_at_once = 200;  // as in k_after
constexpr SqlText k_newest = "SELECT COALESCE(MAX(number), 0) FROM events WHERE workspace_id = $1";

/// Ids and state names need no escaping: they hold only letters, digits, "_" and ".".
std::string to_json(const Event& event) {
    std::string json = "{";
    for (const auto& [name, value] : event.ids) {
        if (json.size() > 1) json += ',';
        ((json += '"') += name.view()) += "\":\"";
        (json += value) += '"';
    }
    return json + "}";
}

}  // namespace

Result<> EventLog::append(Transaction& transaction,
                          WorkspaceId workspace,
                          const Event& event) const {
    const auto json = to_json(event);
    POSTERN_TRY(
        [[maybe_unused]] const auto written,
        transaction.execute(k_insert, {workspace, clock_.now_ms(), Clear::text(event.kind.view()),
                                       Clear::text(json), event.thread}));
    POSTERN_TRY([[maybe_unused]] const auto forgotten,
                transaction.execute(k_forget, {workspace, k_events_kept}));
    return {};
}

void EventLog::published(WorkspaceId workspace) {
    const auto found = listeners_.find(workspace);
    if (found == listeners_.end()) return;
    for (auto* listener : found->second)
        listener->signal_.set();
}

void EventLog::wake_all() {
    for (const auto& [workspace, listeners] : listeners_) {
        for (auto* listener : listeners)
            listener->signal_.set();
    }
}

async::Task<> EventLog::publish(WorkspaceId workspace, Event event) {
    const auto body = [this, workspace, event = std::move(event)](Transaction& transaction) {
        return append(transaction, workspace, event);
    };
    auto written = co_await database_.write(body);
    if (written) published(workspace);
    co_return written;
}

async::Task<News> EventLog::after(private_threads::Viewer viewer, std::int64_t number) {
    const auto body = [viewer, number](Transaction& transaction) -> Result<News> {
        const auto workspace = viewer.workspace();
        POSTERN_TRY(const auto newest, transaction.query_one(k_newest, {workspace}));
        POSTERN_TRY(const auto rows,
                    transaction.query(k_after, {workspace, viewer.person_or_nobody(), number}));
        News news;
        for (const auto& row : rows) {
            news.events.push_back(
                {row.integer(0), row.integer(1), row.clear_text(2), row.clear_text(3)});
        }
        news.looked_to = number;
        if (rows.size() < k_at_once && newest) {
            news.looked_to = std::max(number, newest->integer(0));
        }
        if (!rows.empty()) news.looked_to = std::max(news.looked_to, rows.back().integer(0));
        return news;
    };
    co_return co_await database_.read(body);
}

async::Task<std::int64_t> EventLog::newest(WorkspaceId workspace) {
    const auto body = [workspace](Transaction& transaction) -> Result<std::int64_t> {
        POSTERN_TRY(const auto row, transaction.query_one(k_newest, {workspace}));
        return row ? row->integer(0) : 0;
    };
    co_return co_await database_.read(body);
}

EventLog::Listener::Listener(EventLog& log, WorkspaceId workspace)
    : log_(log), workspace_(workspace), signal_(log.executor_) {
    log_.listeners_[workspace_].push_back(this);
}

EventLog::Listener::~Listener() {
    auto& all = log_.listeners_[workspace_];
    all.remove(this);
    if (all.empty()) log_.listeners_.erase(workspace_);
}

}  // namespace postern::events
