#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/audit_store.h"
#include "platform/audit/record.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/key_error.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

constexpr auto k_details_column = store::data_map::store::audit_records::details.value;
constexpr std::int64_t k_page = 1000;
/// One search looks at no more; the next one goes on there.
constexpr std::int64_t k_looked_at_max = 50'000;
constexpr std::int64_t k_handed_out_at_once = 500;
constexpr std::int64_t k_shortened_at_once = 1000;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

/// Values are plain, and stand between quotes: see facts_json().
bool names(std::string_view facts, std::string_view value) {
    return facts.find(":\"" + std::string(value) + "\"") != std::string_view::npos;
}

bool fits(const StoredRecord& record, const Search& asked) {
    if (record.at_ms < asked.since_ms || record.at_ms > asked.until_ms) return false;
    if (!asked.action.empty() && record.action != asked.action) return false;
    const std::string_view facts = record.facts;
    // Who did it comes first.
    const auto id = facts.find(",\"by_id\":");
    const auto end = facts.find(',', id == std::string_view::npos ? 0 : id + 1);
    if (!asked.by.empty() && !names(facts.substr(0, end), asked.by)) return false;
    if (asked.about.empty()) return true;
    return end != std::string_view::npos && names(facts.substr(end), asked.about);
}

}  // namespace

async::Task<std::string> AuditLog::open_from(WorkspaceId workspace, const StoredRecord* record) {
    if (!record->details) co_return std::string();
    auto sealed = to_bytes(record->details->view());
    auto from = co_await keys::open_record(&parts_.keeper, workspace, k_details_column,
                                           record->seal_row, std::move(sealed), keeper_deadline());
    // What was changed, or whose key is gone, is told by verify().
    if (!from && from.error().is(keys::KeyError::cannot_open)) co_return std::string();
    if (!from) co_return fail(std::move(from.error()));
    co_return std::string(as_text(*from));
}

async::Task<Found> AuditLog::search(WorkspaceId workspace, Search asked, std::int64_t limit) {
    auto next = asked.before > 0 ? asked.before : std::numeric_limits<std::int64_t>::max();
    Found out;
    std::vector<StoredRecord> fitting;
    for (std::int64_t looked_at = 0; looked_at < k_looked_at_max; looked_at += k_page) {
        const auto body = [workspace, next](store::Transaction& tx) {
            return rows::before(tx, workspace, next, k_page);
        };
        auto page = co_await parts_.database.read(body);
        if (!page) co_return fail(std::move(page.error()));
        for (auto& record : *page) {
            if (static_cast<std::int64_t>(fitting.size()) == limit) break;
            next = record.number;
            if (fits(record, asked)) fitting.push_back(std::move(record));
        }
        const bool is_full = static_cast<std::int64_t>(fitting.size()) == limit;
        if (is_full && !page->empty() && next > page->back().number) break;
        if (static_cast<std::int64_t>(page->size()) < k_page) {
            next = 0;
            break;
        }
        if (is_full) break;
    }
    out.go_on_before = next;
    for (auto& record : fitting) {
        auto from = co_await open_from(workspace, &record);
        if (!from) co_return fail(std::move(from.error()));
        out.records.push_back({record.number, record.at_ms, std::move(record.action),
                               std::move(record.facts), std::move(*from)});
    }
    co_return out;
}

async::Task<std::vector<WholeRecord>> AuditLog::after(WorkspaceId workspace, std::int64_t number) {
    const auto body = [workspace, number](store::Transaction& tx) {
        return rows::after(tx, workspace, number, k_handed_out_at_once);
    };
    auto page = co_await parts_.database.read(body);
    if (!page) co_return fail(std::move(page.error()));
    std::vector<WholeRecord> out;
    for (auto& record : *page) {
        auto from = co_await open_from(workspace, &record);
        if (!from) co_return fail(std::move(from.error()));
        out.push_back({std::move(record), std::move(*from)});
    }
    co_return out;
}

async::Task<std::optional<rows::Base>> AuditLog::base(WorkspaceId workspace) {
    const auto body = [workspace](store::Transaction& tx) {
        return rows::load_base(tx, workspace);
    };
    co_return co_await parts_.database.read(body);
}

async::Task<bool> AuditLog::is_base(WorkspaceId workspace, rows::Base base) {
    keys::CheckAuditMarks ask;
    ask.workspace = workspace;
    ask.kind = keys::AuditMarkKind::base;
    ask.marks.push_back({base.number, std::move(base.record_mac), base.at_ms, std::move(base.mac)});
    auto checked = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!checked) co_return fail(std::move(checked.error()));
    co_return checked->good == Bytes{1};
}

async::Task<bool> AuditLog::shorten(WorkspaceId workspace, UnixMs before_ms) {
    auto begin = co_await base(workspace);
    if (!begin) co_return fail(std::move(begin.error()));
    const auto number = *begin ? (*begin)->number : 0;
    const auto body = [workspace, number](store::Transaction& tx) {
        return rows::after(tx, workspace, number, k_shortened_at_once);
    };
    auto page = co_await parts_.database.read(body);
    if (!page) co_return fail(std::move(page.error()));
    const StoredRecord* last = nullptr;
    std::int64_t gone = 0;
    for (const auto& record : *page) {
        // The newest stays: the one after it is chained to it.
        if (&record == &page->back()) break;
        if (record.at_ms >= before_ms || record.number != number + gone + 1) break;
        last = &record;
        ++gone;
    }
    if (last == nullptr) co_return false;
    keys::AuditMark mark{last->number, last->mac, parts_.clock.now_ms(), {}};
    keys::MarkAudit ask{workspace, keys::AuditMarkKind::base, mark};
    auto marked = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!marked) co_return fail(std::move(marked.error()));
    const rows::Base next{mark.number, mark.record_mac, mark.at_ms, std::move(marked->mac)};
    const auto delete_them = [workspace, next](store::Transaction& tx) {
        return rows::begin_after(tx, workspace, next);
    };
    Act act{by_server(), "audit.shortened", {{"until_number", std::to_string(next.number)}}};
    auto done = co_await record(workspace, std::move(act), delete_them);
    if (!done) co_return fail(std::move(done.error()));
    co_return gone == k_shortened_at_once - 1;
}

}  // namespace postern::audit
