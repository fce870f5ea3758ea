#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_finder.h"
#include "platform/audit/anchor_judgement.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/anchors.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

constexpr std::size_t k_piece_bytes = std::size_t{256} << 10U;

/// Empty at the end.
Result<std::string> read_piece(const os::Fd& file, std::uint64_t at) {
    std::string piece(k_piece_bytes, '\0');
    while (true) {
        const auto got = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(os::errno_error("the log"));
        piece.resize(static_cast<std::size_t>(got));
        return piece;
    }
}

void tell(std::vector<std::string>& faults, std::vector<std::string> more) {
    for (auto& fault : more) {
        if (faults.size() < k_anchor_faults_max) faults.push_back(std::move(fault));
    }
}

}  // namespace

/// What names a record that is not there yet is judged at the end: once for each workspace.
async::Task<> Anchors::judge_found(std::vector<Anchor> found,
                                   LogComparison* out,
                                   Farthest* farthest) {
    Anchored by_workspace;
    for (auto& anchor : found) {
        const auto workspace = anchor.workspace;
        by_workspace[workspace].push_back(std::move(anchor));
    }
    for (auto& [workspace, anchors] : by_workspace) {
        auto good = co_await good_of(workspace, std::move(anchors), &out->faults);
        if (!good) co_return fail(std::move(good.error()));
        auto numbers = numbers_of(*good);
        const auto chain = co_await facts_of(workspace, std::move(numbers));
        if (!chain) co_return fail(chain.error());
        for (const auto& anchor : *good) {
            auto& best = (*farthest)[workspace];
            ++best.count;
            if (anchor.number >= best.anchor.number) best.anchor = anchor;
        }
        std::erase_if(*good, [&](const Anchor& one) { return one.number > chain->newest; });
        tell(out->faults, judge_anchors(workspace, *good, *chain));
    }
    co_return Result<>{};
}

async::Task<> Anchors::judge_farthest(Farthest farthest, LogComparison* out) {
    auto chains = co_await parts_.log.chains();
    if (!chains) co_return fail(std::move(chains.error()));
    for (const auto& workspace : *chains)
        farthest[workspace];
    for (auto& [workspace, best] : farthest) {
        auto chain = co_await facts_of(workspace, {});
        if (!chain) co_return fail(std::move(chain.error()));
        out->newest.push_back(
            {workspace, best.count, best.anchor.number, best.anchor.at_ms, chain->newest});
        if (best.anchor.number <= chain->newest) continue;
        tell(out->faults, judge_anchors(workspace, {best.anchor}, *chain));
    }
    co_return Result<>{};
}

async::Task<Anchors::LogComparison> Anchors::compare_log(std::shared_ptr<const os::Fd> log) {
    const auto bytes = os::file_size(log->get());
    if (!bytes) co_return fail(bytes.error());
    if (*bytes > k_log_bytes_max) co_return fail(os::OsError::too_large, "the log");
    LogComparison out;
    AnchorFinder finder;
    Farthest farthest;
    std::uint64_t at = 0;
    while (true) {
        auto work = [log, at] { return read_piece(*log, at); };
        const auto piece = co_await pool_.run(std::move(work));
        if (!piece) co_return fail(piece.error());
        at += piece->size();
        // One that grows meanwhile.
        if (at > k_log_bytes_max) co_return fail(os::OsError::too_large, "the log");
        if (piece->empty()) finder.finish();
        finder.take(*piece);
        auto judged = co_await judge_found(finder.take_found(), &out, &farthest);
        if (!judged) co_return fail(std::move(judged.error()));
        if (piece->empty()) break;
    }
    for (const auto line : finder.broken())
        tell(out.faults, {"line " + std::to_string(line) + " is no anchor"});
    out.lines = finder.lines();
    out.too_long = finder.too_long();
    auto judged = co_await judge_farthest(std::move(farthest), &out);
    if (!judged) co_return fail(std::move(judged.error()));
    co_return out;
}

}  // namespace postern::audit
