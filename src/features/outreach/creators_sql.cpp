#include "features/outreach/creators.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/place.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/private_threads/seen_sql.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/data_map.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace postern::outreach {

using store::Clear;
using store::SealedBytes;
using store::SqlText;
using store::Transaction;

namespace {

namespace column = store::data_map::store::creators;

constexpr SqlText k_claim_address =
    "INSERT INTO creator_addresses (workspace_id, address_mac, creator_id) VALUES ($1, $2, $3) "
    "ON CONFLICT (workspace_id, address_mac) DO NOTHING";
constexpr SqlText k_find_address =
    "SELECT creator_id FROM creator_addresses WHERE workspace_id = $1 AND address_mac = $2";
constexpr SqlText k_is_complete =
    "SELECT value FROM meta WHERE workspace_id = $1 AND name = 'creators_complete'";
constexpr SqlText k_set_complete =
    "INSERT INTO meta (workspace_id, name, value) VALUES ($1, 'creators_complete', $2) "
    "ON CONFLICT (workspace_id, name) DO NOTHING";
constexpr SqlText k_workspaces = "SELECT DISTINCT workspace_id FROM creators ORDER BY 1";
constexpr SqlText k_exists =
    "SELECT creator_id FROM creators WHERE workspace_id = $1 AND creator_id = $2";
constexpr SqlText k_insert =
    "INSERT INTO creators (workspace_id, creator_id, profile, profile_wrap, created_at_ms) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id, creator_id) DO NOTHING";
// Of both: $1 workspace, $2 viewer.
constexpr char k_of_viewer[] =
    "SELECT creator_id, profile, profile_wrap, created_at_ms FROM creators c "
    "WHERE workspace_id = $1 AND EXISTS (SELECT 1 FROM thread_people t WHERE t.workspace_id = "
    "c.workspace_id AND t.creator_id = c.creator_id AND ";
constexpr auto k_load_seen =
    store::joined(k_of_viewer, private_threads::k_seen, ") AND creator_id = $3");
constexpr auto k_list_seen = store::joined(
    k_of_viewer, private_threads::k_seen, ") AND creator_id > $3 ORDER BY creator_id LIMIT $4");
constexpr SqlText k_load(k_load_seen);
constexpr SqlText k_list_of_viewer(k_list_seen);
constexpr SqlText k_list =
    "SELECT creator_id, profile, profile_wrap, created_at_ms FROM creators "
    "WHERE workspace_id = $1 AND creator_id > $2 ORDER BY creator_id LIMIT $3";

constexpr std::uint64_t k_index_handle = 2;
constexpr std::int64_t k_index_page = 500;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

struct Profile {
    static constexpr std::uint8_t k_version = 1;
    std::string name;
    std::string address;
    auto wire() { return std::tie(name, address); }
};

struct SealedProfile {
    CreatorId id;
    Bytes profile;
    Bytes wrap;
    UnixMs created_at_ms = 0;
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

crypto::Place place_of(WorkspaceId workspace, CreatorId id) {
    return {workspace, column::profile.value, crypto::row_key(id), 0};
}

/// Read with every look-up: a database server that crashed gives the index back empty, mark and
/// all.
Result<bool> is_complete(Transaction& tx) {
    POSTERN_TRY(const auto row, tx.query_one(k_is_complete, {k_installation}));
    return row.has_value();
}

/// Opens what can be opened; an erased creator has no name and no address any more.
async::Task<std::vector<Creator>> open_all(ipc::Link* keeper,
                                           WorkspaceId workspace,
                                           std::vector<SealedProfile> rows,
                                           std::uint64_t handle) {
    keys::OpenKeys ask;
    ask.workspace = workspace;
    ask.handle = handle;
    for (const auto& row : rows) {
        ask.openings.push_back({column::profile.value,
                                crypto::row_key(row.id),
                                keys::WrapMode::each,
                                {row.id},
                                row.wrap});
    }
    auto opened = co_await keeper->call(std::move(ask), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    if (opened->keys.size() != rows.size()) co_return fail(keys::KeyError::cannot_open);
    std::vector<Creator> out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Creator creator{rows[i].id, "", "", rows[i].created_at_ms};
        if (!opened->keys[i].empty()) {
            auto bytes =
                crypto::open(opened->keys[i], rows[i].profile, place_of(workspace, rows[i].id));
            if (!bytes) co_return fail(std::move(bytes.error()));
            auto profile = keys::decode_record<Profile>(*bytes);
            if (!profile) co_return fail(std::move(profile.error()));
            creator.name = std::move(profile->name);
            creator.address = std::move(profile->address);
        }
        out.push_back(std::move(creator));
    }
    co_return out;
}

SealedProfile read_row(const store::Row& row) {
    return {row.id<CreatorTag>(0), row.sealed(1).take(), row.sealed(2).take(), row.integer(3)};
}

std::vector<SealedProfile> read_rows(const std::vector<store::Row>& found) {
    std::vector<SealedProfile> out;
    out.reserve(found.size());
    for (const auto& row : found)
        out.push_back(read_row(row));
    return out;
}

}  // namespace

async::Task<std::vector<Bytes>> Creators::address_macs(WorkspaceId workspace,
                                                       std::vector<std::string> addresses) {
    keys::ComputeMacs ask{workspace, keys::MacPurpose::creator_address, {}};
    ask.values.reserve(addresses.size());
    for (auto& address : addresses)
        ask.values.push_back(to_bytes(lower(std::move(address))));
    auto answer = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!answer) co_return fail(std::move(answer.error()));
    if (answer->macs.size() != addresses.size()) co_return fail(keys::KeyError::cannot_open);
    co_return std::move(answer->macs);
}

async::Task<Bytes> Creators::address_mac(WorkspaceId workspace, std::string address) {
    std::vector<std::string> one;
    one.push_back(std::move(address));
    auto macs = co_await address_macs(workspace, std::move(one));
    if (!macs) co_return fail(std::move(macs.error()));
    co_return std::move(macs->front());
}

async::Task<std::optional<CreatorId>> Creators::find(WorkspaceId workspace, std::string address) {
    auto mac = co_await address_mac(workspace, std::move(address));
    if (!mac) co_return fail(std::move(mac.error()));
    const auto body = [workspace,
                       mac = std::move(*mac)](Transaction& tx) -> Result<std::optional<CreatorId>> {
        POSTERN_TRY(const auto complete, is_complete(tx));
        if (!complete) return fail(OutreachError::index_lost);
        POSTERN_TRY(const auto row, tx.query_one(k_find_address, {workspace, Clear::bytes(mac)}));
        if (!row) return std::optional<CreatorId>{};
        return std::optional<CreatorId>(row->id<CreatorTag>(0));
    };
    auto found = co_await parts_.index.read(body);
    if (found || !found.error().is(OutreachError::index_lost)) co_return found;
    auto indexed = co_await complete_index();
    if (!indexed) co_return fail(std::move(indexed.error()));
    co_return co_await parts_.index.read(body);
}

async::Task<> Creators::store_profile(WorkspaceId workspace,
                                      CreatorId id,
                                      std::string name,
                                      std::string address) {
    keys::CreateSubjects subjects{workspace, {id}};
    auto made = co_await parts_.keeper.call(std::move(subjects), keeper_deadline());
    if (!made) co_return fail(std::move(made.error()));
    keys::SealKeys ask;
    ask.workspace = workspace;
    ask.requests.push_back(
        {column::profile.value, crypto::row_key(id), keys::WrapMode::each, {id}});
    auto made_keys = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!made_keys) co_return fail(std::move(made_keys.error()));
    if (made_keys->keys.size() != 1 || made_keys->keys.front().wraps.size() != 1) {
        co_return fail(keys::KeyError::cannot_open);
    }
    const auto& key = made_keys->keys.front();
    Profile profile{std::move(name), std::move(address)};
    const SealedBytes sealed(
        crypto::seal(key.key, keys::encode_record(std::move(profile)), place_of(workspace, id)));
    const SealedBytes wrap(key.wraps.front());
    const auto now = parts_.clock.now_ms();
    const auto body = [workspace, id, sealed, wrap, now](Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto added,
                    tx.execute(k_insert, {workspace, id, sealed, wrap, now}));
        return {};
    };
    co_return co_await parts_.database.write(body);
}

async::Task<CreatorId> Creators::ensure(WorkspaceId workspace,
                                        std::string name,
                                        std::string address) {
    auto mac = co_await address_mac(workspace, address);
    if (!mac) co_return fail(std::move(mac.error()));
    const auto fresh = CreatorId::make(parts_.clock.now_ms());
    // The index decides who a new address is, so that two at once agree; a crash before the
    // profile is stored is made good by the next call.
    const auto claim = [workspace, fresh,
                        mac = std::move(*mac)](Transaction& tx) -> Result<CreatorId> {
        POSTERN_TRY(const auto complete, is_complete(tx));
        if (!complete) return fail(OutreachError::index_lost);
        POSTERN_TRY([[maybe_unused]] const auto added,
                    tx.execute(k_claim_address, {workspace, Clear::bytes(mac), fresh}));
        POSTERN_TRY(const auto row, tx.query_one(k_find_address, {workspace, Clear::bytes(mac)}));
        if (!row) return fail(OutreachError::not_found);
        return row->id<CreatorTag>(0);
    };
    auto id = co_await parts_.index.write(claim);
    if (!id && id.error().is(OutreachError::index_lost)) {
        auto indexed = co_await complete_index();
        if (!indexed) co_return fail(std::move(indexed.error()));
        id = co_await parts_.index.write(claim);
    }
    if (!id) co_return fail(std::move(id.error()));
    const auto known = [workspace, id = *id](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row, tx.query_one(k_exists, {workspace, id}));
        return row.has_value();
    };
    auto exists = co_await parts_.database.read(known);
    if (!exists) co_return fail(std::move(exists.error()));
    if (!*exists) {
        auto stored = co_await store_profile(workspace, *id, std::move(name), std::move(address));
        if (!stored) co_return fail(std::move(stored.error()));
    }
    co_return *id;
}

async::Task<Creator> Creators::get(private_threads::Viewer viewer,
                                   CreatorId id,
                                   std::uint64_t handle) {
    const auto workspace = viewer.workspace();
    const auto body = [viewer, id](Transaction& tx) -> Result<SealedProfile> {
        POSTERN_TRY(const auto row,
                    tx.query_one(k_load, {viewer.workspace(), viewer.person_or_nobody(), id}));
        if (!row) return fail(OutreachError::not_found);
        return read_row(*row);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    std::vector<SealedProfile> rows;
    rows.push_back(std::move(*row));
    auto opened = co_await open_all(&parts_.keeper, workspace, std::move(rows), handle);
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::move(opened->front());
}

async::Task<std::vector<Creator>> Creators::list(private_threads::Viewer viewer,
                                                 CreatorId after,
                                                 std::int64_t limit,
                                                 std::uint64_t handle) {
    const auto workspace = viewer.workspace();
    const auto body = [viewer, after,
                       limit](Transaction& tx) -> Result<std::vector<SealedProfile>> {
        POSTERN_TRY(const auto found,
                    tx.query(k_list_of_viewer,
                             {viewer.workspace(), viewer.person_or_nobody(), after, limit}));
        return read_rows(found);
    };
    auto rows = co_await parts_.database.read(body);
    if (!rows) co_return fail(std::move(rows.error()));
    co_return co_await open_all(&parts_.keeper, workspace, std::move(*rows), handle);
}

async::Task<std::vector<Creator>> Creators::list_page(WorkspaceId workspace, CreatorId after) {
    const auto body = [workspace, after](Transaction& tx) -> Result<std::vector<SealedProfile>> {
        POSTERN_TRY(const auto found, tx.query(k_list, {workspace, after, k_index_page}));
        return read_rows(found);
    };
    auto rows = co_await parts_.database.read(body);
    if (!rows) co_return fail(std::move(rows.error()));
    co_return co_await open_all(&parts_.keeper, workspace, std::move(*rows), k_index_handle);
}

/// Keeper bounds what is opened in a minute.
async::Task<std::vector<Creator>> Creators::list_slowly(WorkspaceId workspace, CreatorId after) {
    while (true) {
        auto page = co_await list_page(workspace, after);
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
                        tx.execute(k_claim_address, {workspace, Clear::bytes(macs[i]), ids[i]}));
        }
        return {};
    };
    co_return co_await parts_.index.write(body);
}

async::Task<> Creators::complete_index() {
    auto complete = co_await parts_.index.read(&is_complete);
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
