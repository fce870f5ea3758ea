#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

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
    "INSERT INTO events (workspace_id, number, at_ms, kind, ids) SELECT $1, "
    "COALESCE(MAX(number), 0) + 1, $2, $3, $4 FROM events WHERE workspace_id = $1";
constexpr SqlText k_forget =
    "DELETE FROM events WHERE workspace_id = $1 AND number <= (SELECT MAX(number) FROM events "
    "WHERE workspace_id = $1) - $2";
constexpr SqlText k_after =
    "SELECT number, at_ms, kind, ids FROM events WHERE workspace_id = $1 AND number > $2 "
    "ORDER BY number LIMIT 200";
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
    POSTERN_TRY([[maybe_unused]] const auto written,
                transaction.execute(k_insert, {workspace, clock_.now_ms(),
                                               Clear::text(event.kind.view()), Clear::text(json)}));
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

async::Task<std::vector<StoredEvent>> EventLog::after(WorkspaceId workspace, std::int64_t number) {
    const auto body = [workspace,
                       number](Transaction& transaction) -> Result<std::vector<StoredEvent>> {
        POSTERN_TRY(const auto rows, transaction.query(k_after, {workspace, number}));
        std::vector<StoredEvent> events;
        for (const auto& row : rows) {
            events.push_back(
                {row.integer(0), row.integer(1), row.clear_text(2), row.clear_text(3)});
        }
        return events;
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
