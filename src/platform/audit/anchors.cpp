#include "platform/audit/anchors.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_file.h"
#include "platform/audit/anchor_judgement.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/anchor_signing.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/audit_store.h"
#include "platform/audit/record.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/key_error.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

using namespace std::chrono_literals;

/// After the newest record; bounds what writing costs, and what a cut tail can hide.
constexpr auto k_pause = 5s;
constexpr auto k_pause_in_trouble = 60s;
constexpr std::size_t k_at_once = 500;

Deadline keeper_deadline() {
    return Deadline::in(20s);
}

}  // namespace

void Anchors::note(std::string& kept, std::string trouble) {
    if (trouble == kept) return;
    if (trouble.empty()) {
        log(LogLevel::info, "audit_anchors_good");
    } else {
        log(LogLevel::error, "audit_anchors", {LogField::sanitised("trouble", trouble)});
    }
    kept = std::move(trouble);
}

async::Task<> Anchors::open(AnchorStep step) {
    auto opened = co_await parts_.place.open(step);
    if (!opened) co_return fail(std::move(opened.error()));
    file_ = std::move(*opened);
    co_return Result<>{};
}

async::Task<Anchor> Anchors::sign(WorkspaceId workspace, AuditLog::Head head) {
    Anchor anchor{workspace, head.number, std::move(head.mac), parts_.clock.now_ms(), {}};
    return sign_anchor(&parts_.keeper, std::move(anchor), keeper_deadline());
}

async::Task<> Anchors::append(std::vector<Anchor> anchors) {
    std::string lines;
    for (const auto& anchor : anchors)
        lines.append(line_of(anchor)).append("\n");
    auto work = [file = file_, lines = std::move(lines)] { return file->append(lines); };
    auto appended = co_await pool_.run(std::move(work));
    if (!appended) co_return fail(std::move(appended.error()));
    // After the second place: what the store remembers stands there.
    const auto body = [anchors = std::move(anchors)](store::Transaction& tx) -> Result<> {
        for (const auto& anchor : anchors) {
            if (auto kept = rows::keep_anchor(tx, anchor); !kept) return kept;
        }
        return {};
    };
    co_return co_await parts_.database.write(body);
}

async::Task<> Anchors::write_heads(AuditLog::Heads heads) {
    if (!file_) {
        auto opened = co_await open(AnchorStep::open);
        if (!opened) co_return opened;
    }
    std::vector<Anchor> anchors;
    for (auto& [workspace, head] : heads) {
        auto anchor = co_await sign(workspace, std::move(head));
        if (!anchor) co_return fail(std::move(anchor.error()));
        anchors.push_back(std::move(*anchor));
    }
    co_return co_await append(std::move(anchors));
}

async::Task<> Anchors::write() {
    if (!parts_.place.is_set()) {
        (void)parts_.log.take_heads(SecondPlace::file);
        co_return Result<>{};
    }
    auto heads = parts_.log.take_heads(SecondPlace::file);
    if (heads.empty()) co_return Result<>{};
    auto written = co_await write_heads(heads);
    if (!written) {
        parts_.log.give_back(SecondPlace::file, std::move(heads));
        co_return written;
    }
    co_return co_await rotate_if_full();
}

/// The newest of each workspace begin the new file, so that two files are all that is asked.
async::Task<> Anchors::rotate_if_full() {
    auto measure = [file = file_] { return file->bytes(); };
    const auto bytes = co_await pool_.run(std::move(measure));
    if (!bytes) co_return fail(bytes.error());
    if (*bytes < AnchorFile::k_bytes_max) co_return Result<>{};
    auto opened = co_await open(AnchorStep::rotate);
    if (!opened) {
        // One that can only grow does so.
        log(LogLevel::warning, "anchors_not_rotated", {{"error", opened.error()}});
        co_return Result<>{};
    }
    const auto body = [](store::Transaction& tx) { return rows::kept_anchors(tx); };
    auto kept = co_await parts_.database.read(body);
    if (!kept) co_return fail(std::move(kept.error()));
    AuditLog::Heads heads;
    for (auto& anchor : *kept)
        heads[anchor.workspace] = {anchor.number, std::move(anchor.record_mac)};
    co_return co_await write_heads(std::move(heads));
}

/// What was committed and not said before the last end.
async::Task<> Anchors::find_unwritten() {
    auto chains = co_await parts_.log.chains();
    if (!chains) co_return fail(std::move(chains.error()));
    const auto body = [chains = *chains](store::Transaction& tx) -> Result<AuditLog::Heads> {
        AuditLog::Heads heads;
        POSTERN_TRY(const auto kept, rows::kept_anchors(tx));
        for (const auto& workspace : chains) {
            POSTERN_TRY(const auto newest, rows::newest(tx, workspace));
            const auto said = std::ranges::find(kept, workspace, &Anchor::workspace);
            if (!newest || (said != kept.end() && said->number >= newest->number)) continue;
            heads[workspace] = {newest->number, newest->mac};
        }
        return heads;
    };
    auto heads = co_await parts_.database.read(body);
    if (!heads) co_return fail(std::move(heads.error()));
    parts_.log.give_back(SecondPlace::file, std::move(*heads));
    co_return Result<>{};
}

async::Job Anchors::keep() {
    if (!parts_.place.is_set()) co_return;
    auto found = co_await find_unwritten();
    if (!found) log(LogLevel::warning, "anchors_not_found", {{"error", found.error()}});
    while (true) {
        if (!is_compared_) {
            auto compared = co_await compare();
            if (!compared) {
                log(LogLevel::warning, "anchors_not_compared", {{"error", compared.error()}});
            }
        }
        auto written = co_await write();
        std::string why;
        if (!written) {
            why = "not written: " + std::string(written.error().code()) + " " +
                  written.error().detail();
            file_.reset();
        }
        note(unwritten_, std::move(why));
        const std::chrono::seconds pause = written ? k_pause : k_pause_in_trouble;
        auto waited = co_await async::wait_until(Deadline::in(pause));
        if (!waited) co_return;
    }
}

async::Task<std::vector<Anchor>> Anchors::good_of(WorkspaceId workspace,
                                                  std::vector<Anchor> anchors,
                                                  std::vector<std::string>* faults) {
    std::vector<Anchor> good;
    for (std::size_t begin = 0; begin < anchors.size(); begin += k_at_once) {
        const auto end = std::min(anchors.size(), begin + k_at_once);
        keys::CheckAuditMarks ask;
        ask.workspace = workspace;
        ask.kind = keys::AuditMarkKind::anchor;
        for (auto i = begin; i < end; ++i)
            ask.marks.push_back(mark_of(anchors[i]));
        auto checked = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
        // Of a workspace that keeper does not know it has written nothing.
        const bool is_unknown = !checked && checked.error().is(keys::KeyError::cannot_open);
        if (!checked && !is_unknown) co_return fail(std::move(checked.error()));
        for (auto i = begin; i < end; ++i) {
            if (checked && i - begin < checked->good.size() && checked->good[i - begin] == 1) {
                good.push_back(std::move(anchors[i]));
            } else if (faults->size() < k_anchor_faults_max) {
                faults->push_back(workspace.text() + ": the anchor of number " +
                                  std::to_string(anchors[i].number) + " was changed");
            }
        }
    }
    co_return good;
}

async::Task<ChainFacts> Anchors::facts_of(WorkspaceId workspace,
                                          std::vector<std::int64_t> numbers) {
    const auto body = [workspace,
                       numbers = std::move(numbers)](store::Transaction& tx) -> Result<ChainFacts> {
        ChainFacts chain;
        POSTERN_TRY(const auto base, rows::load_base(tx, workspace));
        if (base) chain.base = base->number;
        POSTERN_TRY(const auto newest, rows::newest(tx, workspace));
        if (newest) chain.newest = newest->number;
        for (const auto number : numbers) {
            if (chain.macs.contains(number)) continue;
            POSTERN_TRY(auto mac, rows::mac_at(tx, workspace, number));
            if (mac) chain.macs[number] = std::move(*mac);
        }
        return chain;
    };
    return parts_.database.read(body);
}

/// Opened anew: what stands under the name is what counts.
async::Task<std::string> Anchors::read_place() {
    auto opened = co_await open(AnchorStep::open);
    if (!opened) co_return fail(std::move(opened.error()));
    auto work = [file = file_] { return file->read(); };
    co_return co_await pool_.run(std::move(work));
}

async::Task<Anchors::Comparison> Anchors::compare() {
    Comparison out;
    out.is_set = parts_.place.is_set();
    if (!out.is_set) co_return out;
    // Before the second place is read, which is before the record is: each is as far as the one
    // before, whatever is written meanwhile.
    const auto body = [](store::Transaction& tx) { return rows::kept_anchors(tx); };
    auto kept = co_await parts_.database.read(body);
    if (!kept) co_return fail(std::move(kept.error()));
    auto text = co_await read_place();
    if (!text) {
        out.faults.push_back("anchors: " + std::string(text.error().code()) + " " +
                             text.error().detail());
        co_return out;
    }
    out.is_read = true;
    auto anchored = read_anchors(*text, out.faults);
    for (auto& [workspace, anchors] : anchored) {
        auto good = co_await good_of(workspace, std::move(anchors), &out.faults);
        if (!good) co_return fail(std::move(good.error()));
        out.lines += static_cast<std::int64_t>(good->size());
        auto numbers = numbers_of(*good);
        auto chain = co_await facts_of(workspace, std::move(numbers));
        if (!chain) co_return fail(std::move(chain.error()));
        std::ranges::move(judge_anchors(workspace, *good, *chain), std::back_inserter(out.faults));
        anchors = std::move(*good);
    }
    for (auto& fault : judge_memory(*kept, anchored))
        out.faults.push_back(std::move(fault));
    is_compared_ = true;
    note(differs_, out.faults.empty() ? std::string() : out.faults.front());
    co_return out;
}

async::Task<> Anchors::accept() {
    auto opened = co_await open(AnchorStep::accept);
    if (!opened) co_return opened;
    const auto body = [](store::Transaction& tx) { return rows::forget_anchors(tx); };
    Act act{by_host(), "anchors.accepted", {}};
    auto forgotten = co_await parts_.log.record(k_installation, std::move(act), body);
    if (!forgotten) co_return forgotten;
    auto found = co_await find_unwritten();
    if (!found) co_return found;
    auto written = co_await write();
    if (written) note(differs_, {});
    co_return written;
}

async::Task<AuditLog::Trial> Anchors::try_changes() {
    constexpr std::int64_t k_records = 4;
    ChainFacts whole;
    whole.newest = k_records;
    for (std::int64_t number = 1; number <= k_records; ++number)
        whole.macs[number] = crypto::random_bytes(32);
    std::vector<Anchor> anchors;
    for (std::int64_t number = 2; number <= k_records; number += 2) {
        AuditLog::Head head{number, whole.macs[number]};
        auto anchor = co_await sign(k_installation, std::move(head));
        if (!anchor) co_return fail(std::move(anchor.error()));
        anchors.push_back(std::move(*anchor));
    }
    AuditLog::Trial out;
    out.is_whole = judge_anchors(k_installation, anchors, whole).empty();
    const auto tell = [&out](const char* name, bool is_seen) {
        (is_seen ? out.seen : out.unseen).emplace_back(name);
    };
    auto cut = whole;
    cut.newest = 3;
    cut.macs.erase(4);
    tell("the newest one taken off", !judge_anchors(k_installation, anchors, cut).empty());
    auto set_back = cut;
    set_back.newest = 5;
    set_back.macs[4] = set_back.macs[5] = crypto::random_bytes(32);
    tell("set back, and others written since",
         !judge_anchors(k_installation, anchors, set_back).empty());
    tell("deleted as a whole", !judge_anchors(k_installation, anchors, ChainFacts{}).empty());
    auto changed = anchors;
    changed.back().number = 3;
    std::vector<std::string> faults;
    auto good = co_await good_of(k_installation, std::move(changed), &faults);
    if (!good) co_return fail(std::move(good.error()));
    tell("what the second place says", faults.size() == 1);
    co_return out;
}

}  // namespace postern::audit
