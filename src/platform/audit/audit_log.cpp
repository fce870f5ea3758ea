#include "platform/audit/audit_log.h"

#include "foundation/base/bytes.h"
#include "foundation/base/log.h"
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
#include <tuple>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

constexpr auto k_details_column = store::data_map::store::audit_records::details.value;
constexpr std::size_t k_seal_row_bytes = 16;
constexpr std::int64_t k_checked_at_once = 1000;
constexpr std::size_t k_owed_max = 4096;
constexpr UnixMs k_place_ms = 600'000;
constexpr std::size_t k_places_max = 1000;

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

async::Task<> AuditLog::put_place(WorkspaceId workspace, By by, StoredRecord* record) {
    record->seal_row = crypto::random_bytes(k_seal_row_bytes);
    if (by.from.empty()) co_return Result<>{};
    const auto now = parts_.clock.now_ms();
    const auto key = std::tuple(workspace, by.id, by.from);
    // Of whoever is somebody: that two strangers are at one place is not to show.
    const auto known = by.id.empty() ? places_.end() : places_.find(key);
    if (known != places_.end() && now - known->second.at_ms < k_place_ms &&
        now >= known->second.at_ms) {
        record->seal_row = known->second.seal_row;
        record->details = known->second.details;
        co_return Result<>{};
    }
    auto sealed =
        co_await keys::seal_record(&parts_.keeper, workspace, k_details_column, record->seal_row,
                                   to_bytes(by.from), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    record->details = store::SealedBytes(std::move(*sealed));
    if (by.id.empty()) co_return Result<>{};
    if (places_.size() >= k_places_max) places_.clear();
    places_.insert_or_assign(key, SealedPlace{record->seal_row, *record->details, now});
    co_return Result<>{};
}

async::Task<AuditLog::Entries> AuditLog::prepare(std::vector<WorkspaceId> workspaces,
                                                 Act act,
                                                 UnixMs at_ms) {
    const auto facts = facts_json(act);
    Entries entries;
    for (const auto& workspace : workspaces) {
        auto room = co_await make_room(workspace);
        if (!room) co_return fail(std::move(room.error()));
        StoredRecord record;
        record.at_ms = at_ms;
        record.action = act.action.view();
        record.facts = facts;
        auto placed = co_await put_place(workspace, act.by, &record);
        if (!placed) co_return fail(std::move(placed.error()));
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
    for (const auto& [workspace, record] : entries) {
        keys_->committed(workspace, record);
        for (auto& heads : heads_) {
            auto& head = heads[workspace];
            if (head.number < record.number) head = {record.number, record.mac};
        }
    }
}

void AuditLog::give_back(SecondPlace place, Heads heads) {
    for (auto& [workspace, head] : heads) {
        auto& newest = heads_of(place)[workspace];
        if (newest.number < head.number) newest = std::move(head);
    }
}

async::Job AuditLog::note(WorkspaceId workspace, Act act) {
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    auto written = co_await record(workspace, act, nothing);
    if (!written) owe(workspace, std::move(act));
}

void AuditLog::owe(WorkspaceId workspace, Act act) {
    log(LogLevel::error, "audit_record_owed",
        {{"workspace", workspace}, {"action", act.action}, {"owed", owed_.size() + 1}});
    if (owed_.size() >= k_owed_max) {
        log(LogLevel::error, "audit_record_lost", {{"workspace", owed_.front().workspace}});
        owed_.pop_front();
    }
    owed_.push_back({workspace, std::move(act), parts_.clock.now_ms()});
}

async::Job AuditLog::settle() {
    if (settling_) co_return;
    settling_ = true;
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    while (!owed_.empty()) {
        const auto next = owed_.front();
        auto act = next.act;
        if (act.about.size() < k_fields_max) act.about.push_back({"recorded", "late"});
        std::vector<WorkspaceId> whose{next.workspace};
        auto written = co_await write(std::move(whose), std::move(act), next.at_ms, nothing);
        if (!written) break;
        log(LogLevel::info, "audit_record_settled",
            {{"workspace", next.workspace}, {"action", next.act.action}});
        // Others may have been owed, or the oldest given up, meanwhile.
        if (!owed_.empty() && owed_.front().at_ms == next.at_ms) owed_.pop_front();
    }
    settling_ = false;
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
    auto begin = co_await base(workspace);
    if (!begin) co_return fail(std::move(begin.error()));
    if (*begin) {
        auto known = co_await is_base(workspace, **begin);
        if (!known) co_return fail(std::move(known.error()));
        out.base = (*begin)->number;
        last.emplace();
        last->number = (*begin)->number;
        last->mac = (*begin)->record_mac;
        out.head = last->mac;
        if (!*known) {
            out.broken_at = out.base;
            out.fault = "what says where the record begins was changed";
            co_return out;
        }
    }
    while (true) {
        const auto body = [workspace, done = out.base + out.records](store::Transaction& tx) {
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
        out.broken_at = out.base + out.records + 1;
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
