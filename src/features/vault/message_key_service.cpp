#include "features/vault/message_key_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/keyring_store.h"
#include "features/vault/message_keys.h"
#include "features/vault/opening_ceiling.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"

#include <cstddef>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using ipc::IpcError;
using keys::KeyError;

constexpr int k_read_tries = 3;

template <typename Item>
Result<std::set<CreatorId>> subjects_of(const std::vector<Item>& items) {
    std::set<CreatorId> all;
    std::size_t count = 0;
    for (const auto& item : items) {
        if (!is_sound(item)) return fail(IpcError::malformed);
        count += item.subjects.size();
        if (count > k_subjects_per_call_max) return fail(IpcError::too_large);
        all.insert(item.subjects.begin(), item.subjects.end());
    }
    return all;
}

Result<> check_records(const std::vector<keys::Record>& records) {
    if (records.size() > MessageKeyService::k_requests_max) return fail(IpcError::too_large);
    std::size_t bytes = 0;
    for (const auto& record : records) {
        if (record.row.empty() || record.row.size() > k_row_bytes_max) {
            return fail(IpcError::malformed);
        }
        bytes += record.content.size();
    }
    if (bytes > MessageKeyService::k_record_bytes_max) return fail(IpcError::too_large);
    return {};
}

/// Under the newest settings key, or under one of before a rotation.
Result<Bytes> open_record(const WorkspaceKeys& keys, ByteView sealed, const crypto::Place& place) {
    auto content = crypto::open(keys.settings, sealed, place);
    for (const auto& older : keys.older_settings) {
        if (content) break;
        content = crypto::open(older.settings, sealed, place);
    }
    return content;
}

crypto::Place record_place(WorkspaceId workspace, keys::Record& record) {
    return {workspace, record.column, std::move(record.row), 0};
}

Result<> allowed(const OpeningCeiling::Verdict& verdict, WorkspaceId workspace) {
    if (verdict.retry_after_s == 0) return {};
    if (verdict.first) {
        log(LogLevel::warning, "opening_ceiling_reached",
            {{"workspace", workspace}, {"retry_after_s", verdict.retry_after_s}});
    }
    return fail(Error(IpcError::busy).with_retry_after(verdict.retry_after_s));
}

}  // namespace

async::Task<ipc::Nothing> MessageKeyService::create_workspace(keys::CreateWorkspace asked) {
    if (core_->keyring.workspace(asked.workspace)) co_return ipc::Nothing();
    for (int tries = 0; tries < k_rotation_tries; ++tries) {
        auto job = [store = &core_->store(),
                    row = core_->keyring.make_workspace_key(asked.workspace)] {
            return store->add_workspace_key(row);
        };
        const auto added = co_await core_->writes.run(std::move(job));
        if (added) co_return ipc::Nothing();
        if (!added.error().is(KeyError::keys_rotated)) co_return fail(added.error());
    }
    co_return fail(KeyError::keys_rotated);
}

async::Task<ipc::Nothing> MessageKeyService::create_subjects(keys::CreateSubjects asked) {
    if (asked.subjects.size() > k_requests_max) co_return fail(IpcError::too_large);
    for (int tries = 0; tries < k_rotation_tries; ++tries) {
        POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
        std::vector<SubjectKeyRow> rows;
        for (const auto& creator : asked.subjects) {
            if (core_->keyring.subject(asked.workspace, creator)) continue;
            rows.push_back(Keyring::make_subject_key(*keys, asked.workspace, creator));
        }
        if (rows.empty()) co_return ipc::Nothing();
        auto job = [store = &core_->store(), workspace = asked.workspace, rows = std::move(rows)] {
            return store->add_subject_keys(workspace, rows);
        };
        const auto added = co_await core_->writes.run(std::move(job));
        if (added) co_return ipc::Nothing();
        if (!added.error().is(KeyError::keys_rotated)) co_return fail(added.error());
    }
    co_return fail(KeyError::keys_rotated);
}

async::Task<ipc::Nothing> MessageKeyService::destroy_subjects(WorkspaceId workspace,
                                                              std::vector<CreatorId> creators) {
    if (creators.size() > k_requests_max) co_return fail(IpcError::too_large);
    core_->keyring.forget(workspace, creators);
    auto job = [workspace, creators](KeyringStore& store) {
        return store.destroy_subject_keys(workspace, creators);
    };
    const auto destroyed = co_await core_->destroy(std::move(job));
    // What was read before the keys were gone may have been cached meanwhile.
    core_->keyring.forget(workspace, creators);
    if (!destroyed) co_return fail(destroyed.error());
    const auto purged = co_await core_->purge();
    if (!purged) co_return fail(purged.error());
    co_return ipc::Nothing();
}

async::Task<SubjectKeys> MessageKeyService::subjects(WorkspaceId workspace,
                                                     std::set<CreatorId> wanted) {
    for (int tries = 0; tries < k_read_tries; ++tries) {
        SubjectKeys found;
        std::vector<CreatorId> missing;
        for (const auto& creator : wanted) {
            if (auto key = core_->keyring.subject(workspace, creator)) {
                found.emplace(creator, std::move(key));
            } else {
                missing.push_back(creator);
            }
        }
        if (missing.empty()) co_return found;
        const auto erasures = core_->keyring.erasures();
        auto job = [store = &core_->store(), workspace, missing = std::move(missing)] {
            return store->subject_keys(workspace, missing);
        };
        POSTERN_CO_TRY(const auto rows, co_await core_->reads.run(std::move(job)));
        // After the wraps: these are then not older than they are.
        POSTERN_CO_TRY(const auto keys, co_await core_->workspace(workspace));
        // Somebody was erased meanwhile: what was read may be of before.
        if (core_->keyring.erasures() != erasures) continue;
        bool rotated = false;
        for (const auto& row : rows) {
            const auto admitted = core_->keyring.admit(*keys, workspace, row);
            rotated = rotated || (!admitted && admitted.error().is(KeyError::keys_rotated));
            if (!admitted) continue;
            found.emplace(row.creator, core_->keyring.subject(workspace, row.creator));
        }
        if (rotated) continue;
        co_return found;
    }
    co_return fail(Error(IpcError::busy).with_retry_after(1));
}

async::Task<keys::SealKeys::Answer> MessageKeyService::seal_keys(keys::SealKeys asked) {
    if (asked.requests.size() > k_requests_max) co_return fail(IpcError::too_large);
    POSTERN_CO_TRY(auto wanted, subjects_of(asked.requests));
    POSTERN_CO_TRY(const auto keys, co_await subjects(asked.workspace, std::move(wanted)));
    keys::SealKeys::Answer answer;
    answer.keys.reserve(asked.requests.size());
    for (const auto& request : asked.requests) {
        POSTERN_CO_TRY(auto sealed, seal_key(asked.workspace, keys, request));
        answer.keys.push_back(std::move(sealed));
    }
    co_return answer;
}

async::Task<keys::OpenKeys::Answer> MessageKeyService::open_keys(keys::OpenKeys asked) {
    if (asked.openings.size() > k_openings_max) co_return fail(IpcError::too_large);
    POSTERN_CO_TRY(auto wanted, subjects_of(asked.openings));
    POSTERN_CO_TRY(const auto keys, co_await subjects(asked.workspace, std::move(wanted)));
    const auto verdict =
        core_->ceiling.charge(asked.workspace, asked.handle, asked.openings.size(), core_->now());
    if (auto may = allowed(verdict, asked.workspace); !may) co_return fail(may.error());
    keys::OpenKeys::Answer answer;
    answer.keys.reserve(asked.openings.size());
    for (const auto& opening : asked.openings)
        answer.keys.push_back(open_key(asked.workspace, keys, opening));
    co_return answer;
}

async::Task<keys::Records> MessageKeyService::seal_records(keys::SealRecords asked) {
    if (auto sound = check_records(asked.records); !sound) co_return fail(sound.error());
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    keys::Records sealed;
    for (auto& record : asked.records) {
        const auto place = record_place(asked.workspace, record);
        sealed.contents.push_back(crypto::seal(keys->settings, ByteView(record.content), place));
        wipe(record.content.data(), record.content.size());
    }
    co_return sealed;
}

async::Task<keys::Records> MessageKeyService::open_records(keys::OpenRecords asked) {
    if (auto sound = check_records(asked.records); !sound) co_return fail(sound.error());
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    const auto verdict = core_->ceiling.charge(asked.workspace, asked.records.size(), core_->now());
    if (auto may = allowed(verdict, asked.workspace); !may) co_return fail(may.error());
    keys::Records opened;
    for (auto& record : asked.records) {
        const auto place = record_place(asked.workspace, record);
        auto content = open_record(*keys, record.content, place);
        if (!content) co_return fail(KeyError::cannot_open);
        opened.contents.push_back(std::move(*content));
    }
    co_return opened;
}

async::Task<keys::ComputeMacs::Answer> MessageKeyService::compute_macs(keys::ComputeMacs asked) {
    if (asked.values.size() > k_requests_max) co_return fail(IpcError::too_large);
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    const auto purpose = static_cast<std::size_t>(asked.purpose);
    if (purpose >= keys->macs.size()) co_return fail(IpcError::malformed);
    keys::ComputeMacs::Answer answer;
    for (const auto& value : asked.values) {
        const auto mac = crypto::hmac(keys->macs[purpose], value);
        answer.macs.emplace_back(mac.begin(), mac.end());
    }
    co_return answer;
}

async::Task<keys::Identify::Answer> MessageKeyService::identify(keys::Identify) {
    co_return keys::Identify::Answer{core_->seal_pair.public_key,
                                     core_->keyring.receipt_pair().public_key,
                                     Secret::all_locked()};
}

}  // namespace postern::vault
