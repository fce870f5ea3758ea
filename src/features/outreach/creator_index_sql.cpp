#include "features/outreach/creators.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::outreach {

using store::Clear;
using store::SqlText;
using store::Transaction;

namespace {

constexpr SqlText k_is_complete =
    "SELECT value FROM meta WHERE workspace_id = $1 AND name = 'creators_complete'";
constexpr SqlText k_set_complete =
    "INSERT INTO meta (workspace_id, name, value) VALUES ($1, 'creators_complete', $2) "
    "ON CONFLICT (workspace_id, name) DO NOTHING";
constexpr SqlText k_workspaces = "SELECT DISTINCT workspace_id FROM creators ORDER BY 1";
constexpr SqlText k_add_address =
    "INSERT INTO creator_addresses (workspace_id, address_mac, creator_id) VALUES ($1, $2, $3) "
    "ON CONFLICT (workspace_id, address_mac) DO NOTHING";

constexpr std::uint64_t k_handle = 2;
constexpr std::int64_t k_page = 500;

}  // namespace

/// Keeper bounds what is opened in a minute.
async::Task<std::vector<Creator>> Creators::list_slowly(WorkspaceId workspace, CreatorId after) {
    while (true) {
        auto page = co_await list(workspace, after, k_page, k_handle);
        if (page || !page.error().is(ipc::IpcError::busy)) co_return page;
        const auto pause =
            std::chrono::seconds(std::max<std::int64_t>(page.error().retry_after_s(), 1));
        auto waited = co_await async::wait_until(Deadline::in(pause));
        if (!waited) co_return fail(std::move(waited.error()));
    }
}

async::Task<> Creators::index_page(WorkspaceId workspace, std::vector<Creator> page) {
    std::vector<CreatorId> ids;
    std::vector<std::string> addresses;
    for (auto& creator : page) {
        if (creator.address.empty()) continue;  // erased
        ids.push_back(creator.id);
        addresses.push_back(std::move(creator.address));
    }
    if (ids.empty()) co_return Result<>{};
    auto macs = co_await address_macs(workspace, std::move(addresses));
    if (!macs) co_return fail(std::move(macs.error()));
    const auto body = [workspace, ids = std::move(ids),
                       macs = std::move(*macs)](Transaction& tx) -> Result<> {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            POSTERN_TRY([[maybe_unused]] const auto added,
                        tx.execute(k_add_address, {workspace, Clear::bytes(macs[i]), ids[i]}));
        }
        return {};
    };
    co_return co_await parts_.index.write(body);
}

async::Task<> Creators::complete_index() {
    const auto is_complete = [](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row, tx.query_one(k_is_complete, {k_installation}));
        return row.has_value();
    };
    auto complete = co_await parts_.index.read(is_complete);
    if (!complete) co_return fail(std::move(complete.error()));
    if (*complete) co_return Result<>{};
    const auto workspaces_body = [](Transaction& tx) -> Result<std::vector<WorkspaceId>> {
        POSTERN_TRY(const auto rows, tx.query(k_workspaces));
        std::vector<WorkspaceId> out;
        out.reserve(rows.size());
        for (const auto& row : rows)
            out.push_back(row.id<WorkspaceTag>(0));
        return out;
    };
    auto workspaces = co_await parts_.database.read(workspaces_body);
    if (!workspaces) co_return fail(std::move(workspaces.error()));
    std::size_t count = 0;
    for (const auto workspace : *workspaces) {
        CreatorId after;
        while (true) {
            auto page = co_await list_slowly(workspace, after);
            if (!page) co_return fail(std::move(page.error()));
            if (page->empty()) break;
            after = page->back().id;
            count += page->size();
            auto indexed = co_await index_page(workspace, std::move(*page));
            if (!indexed) co_return indexed;
        }
    }
    if (count > 0) log(LogLevel::info, "index_rebuilt", {{"creators", count}});
    const auto set_complete = [](Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto added,
                    tx.execute(k_set_complete, {k_installation, Clear::bytes(Bytes{1})}));
        return {};
    };
    co_return co_await parts_.index.write(set_complete);
}

}  // namespace postern::outreach
