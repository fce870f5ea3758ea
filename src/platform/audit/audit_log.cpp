#include "platform/audit/audit_log.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/deadline.h"
#include "platform/audit/audit_store.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"

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
constexpr std::size_t k_seal_row_bytes = 16;
constexpr std::int64_t k_checked_at_once = 1000;

constexpr int k_trial_records = 4;
/// What somebody could do who has the store and no key.
struct TrialChange {
    std::string_view name;
    void (*change)(std::vector<StoredRecord>& records);
};
constexpr TrialChange k_trial_changes[] = {
    {"another action", [](auto& records) { records[1].action = "trial.changed"; }},
    {"another actor", [](auto& records) { records[1].facts = R"({"by":"host"})"; }},
    {"another time", [](auto& records) { ++records[1].at_ms; }},
    {"other details",
     [](auto& records) { records[1].details = store::SealedBytes(records[1].mac); }},
    {"one taken out", [](auto& records) { records.erase(records.begin() + 1); }},
    {"one taken out, and the others numbered anew",
     [](auto& records) {
         records.erase(records.begin() + 1);
         for (std::size_t i = 0; i < records.size(); ++i)
             records[i].number = static_cast<std::int64_t>(i) + 1;
     }},
    {"two in another order",
     [](auto& records) {
         std::swap(records[1], records[2]);
         std::swap(records[1].number, records[2].number);
     }},
    {"one twice",
     [](auto& records) {
         records.push_back(records.back());
         ++records.back().number;
     }},
};

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

}  // namespace

async::Task<> AuditLog::make_room(WorkspaceId workspace) {
    if (keys_->has_room(workspace)) co_return Result<>{};
    keys::OpenAuditSegment ask{workspace};
    auto opened = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    keys_->begin(workspace, std::move(opened->label), std::move(opened->key));
    co_return Result<>{};
}

async::Task<AuditLog::Entries> AuditLog::prepare(std::vector<WorkspaceId> workspaces, Act act) {
    const auto facts = facts_json(act);
    Entries entries;
    for (const auto& workspace : workspaces) {
        auto room = co_await make_room(workspace);
        if (!room) co_return fail(std::move(room.error()));
        StoredRecord record;
        record.at_ms = parts_.clock.now_ms();
        record.action = act.action.view();
        record.facts = facts;
        record.seal_row = crypto::random_bytes(k_seal_row_bytes);
        if (!act.by.from.empty()) {
            auto sealed = co_await keys::seal_record(&parts_.keeper, workspace, k_details_column,
                                                     record.seal_row, to_bytes(act.by.from),
                                                     keeper_deadline());
            if (!sealed) co_return fail(std::move(sealed.error()));
            record.details = store::SealedBytes(std::move(*sealed));
        }
        entries.push_back({workspace, std::move(record)});
    }
    co_return entries;
}

Result<> AuditLog::append(store::Transaction& tx, const ChainKeys& keys, Entries& entries) {
    for (auto& [workspace, record] : entries) {
        POSTERN_TRY(const auto last, rows::newest(tx, workspace));
        if (auto linked = keys.link(workspace, last, record); !linked) return linked;
        if (auto written = rows::insert(tx, workspace, record); !written) return written;
    }
    return {};
}

void AuditLog::committed(const Entries& entries) {
    for (const auto& [workspace, record] : entries)
        keys_->committed(workspace, record);
}

async::Task<std::vector<Record>> AuditLog::list(WorkspaceId workspace,
                                                std::int64_t before,
                                                std::int64_t limit) {
    const auto end = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
    const auto body = [workspace, end, limit](store::Transaction& tx) {
        return rows::before(tx, workspace, end, limit);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<Record> out;
    for (auto& row : *found) {
        Record record{row.number, row.at_ms, std::move(row.action), std::move(row.facts), {}};
        if (row.details) {
            auto sealed = std::move(*row.details).take();
            auto from =
                co_await keys::open_record(&parts_.keeper, workspace, k_details_column,
                                           row.seal_row, std::move(sealed), keeper_deadline());
            // What was changed, or whose key is gone, is told by verify().
            const bool is_shut = !from && from.error().is(keys::KeyError::cannot_open);
            if (!from && !is_shut) co_return fail(std::move(from.error()));
            if (from) record.from = as_text(*from);
        }
        out.push_back(std::move(record));
    }
    co_return out;
}

async::Task<std::vector<WorkspaceId>> AuditLog::chains() {
    const auto body = [](store::Transaction& tx) { return rows::chains(tx); };
    co_return co_await parts_.database.read(body);
}

async::Task<AuditLog::Judgement> AuditLog::judge(WorkspaceId workspace,
                                                 const std::vector<StoredRecord>* records,
                                                 const StoredRecord* last) {
    keys::CheckAuditMacs ask;
    ask.workspace = workspace;
    for (const auto& record : *records) {
        if (record.number != (last == nullptr ? 1 : last->number + 1)) break;
        const auto digest =
            digest_of(workspace, record, last == nullptr ? ByteView{} : ByteView(last->mac));
        const bool can_be = record.step >= 0 && record.step < keys::k_audit_segment_steps;
        const auto step =
            can_be ? static_cast<std::uint32_t>(record.step) : keys::k_audit_segment_steps;
        ask.macs.push_back({record.segment, step, to_bytes(digest), record.mac});
        last = &record;
    }
    const auto asked = ask.macs.size();
    auto checked = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!checked) co_return fail(std::move(checked.error()));
    Judgement out{checked->good, {}};
    if (out.good < asked) {
        out.fault = "it was changed";
    } else if (asked < records->size()) {
        out.fault = "it is missing";
    }
    co_return out;
}

async::Task<Verification> AuditLog::verify(WorkspaceId workspace) {
    Verification out;
    std::optional<StoredRecord> last;
    while (true) {
        const auto body = [workspace, done = out.records](store::Transaction& tx) {
            return rows::after(tx, workspace, done, k_checked_at_once);
        };
        auto found = co_await parts_.database.read(body);
        if (!found) co_return fail(std::move(found.error()));
        if (found->empty()) co_return out;
        const auto* before = last ? &*last : nullptr;
        auto judged = co_await judge(workspace, &*found, before);
        if (!judged) co_return fail(std::move(judged.error()));
        out.records += static_cast<std::int64_t>(judged->good);
        if (judged->good > 0) last = std::move((*found)[judged->good - 1]);
        if (last) out.head = last->mac;
        if (judged->good == found->size()) continue;
        out.broken_at = out.records + 1;
        out.fault = std::move(judged->fault);
        co_return out;
    }
}

async::Task<AuditLog::Trial> AuditLog::try_changes() {
    keys::OpenAuditSegment open{k_installation};
    auto segment = co_await parts_.keeper.call(std::move(open), keeper_deadline());
    if (!segment) co_return fail(std::move(segment.error()));
    ChainKeys chain;
    chain.begin(k_installation, std::move(segment->label), std::move(segment->key));
    std::vector<StoredRecord> whole;
    for (int i = 0; i < k_trial_records; ++i) {
        StoredRecord record;
        record.at_ms = parts_.clock.now_ms();
        record.action = "trial.made";
        record.facts = facts_json({{}, "trial.made", {}});
        record.seal_row = crypto::random_bytes(k_seal_row_bytes);
        const auto last = whole.empty() ? std::optional<StoredRecord>() : whole.back();
        auto linked = chain.link(k_installation, last, record);
        if (!linked) co_return fail(std::move(linked.error()));
        chain.committed(k_installation, record);
        whole.push_back(std::move(record));
    }
    Trial out;
    auto judged = co_await judge(k_installation, &whole, nullptr);
    if (!judged) co_return fail(std::move(judged.error()));
    out.is_whole = judged->good == whole.size();
    for (const auto& [name, change] : k_trial_changes) {
        auto records = whole;
        change(records);
        auto after = co_await judge(k_installation, &records, nullptr);
        if (!after) co_return fail(std::move(after.error()));
        auto& told = after->good == records.size() ? out.unseen : out.seen;
        told.emplace_back(name);
    }
    co_return out;
}

}  // namespace postern::audit
