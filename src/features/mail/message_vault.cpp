#include "features/mail/message_vault.h"

#include "features/mail/mail_types.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/compress.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/value.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

namespace columns = store::data_map::store;

constexpr std::size_t k_raw_bytes_max = std::size_t{64} << 20;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

async::Task<keys::SealedKey> fresh_key(ipc::Link* keeper,
                                       WorkspaceId workspace,
                                       std::uint16_t column,
                                       Bytes row,
                                       keys::WrapMode mode,
                                       std::vector<CreatorId> people) {
    keys::SealKeys ask;
    ask.workspace = workspace;
    ask.requests.push_back({column, std::move(row), mode, std::move(people)});
    auto answer = co_await keeper->call(std::move(ask), keeper_deadline());
    if (!answer) co_return fail(std::move(answer.error()));
    if (answer->keys.size() != 1) co_return fail(keys::KeyError::cannot_open);
    co_return std::move(answer->keys.front());
}

std::vector<store::SealedBytes> as_sealed(std::vector<Bytes> wraps) {
    std::vector<store::SealedBytes> out;
    out.reserve(wraps.size());
    for (auto& wrap : wraps)
        out.emplace_back(std::move(wrap));
    return out;
}

/// Seals a record for people of whom each alone may open it.
template <typename T>
async::Task<SealedObject> seal_record_for(ipc::Link* keeper,
                                          crypto::Place place,
                                          T record,
                                          std::vector<CreatorId> people) {
    auto key = co_await fresh_key(keeper, place.workspace, place.column, place.row,
                                  keys::WrapMode::each, std::move(people));
    if (!key) co_return fail(std::move(key.error()));
    SealedObject out;
    out.content =
        store::SealedBytes(crypto::seal(key->key, keys::encode_record(std::move(record)), place));
    out.wraps = as_sealed(std::move(key->wraps));
    co_return out;
}

/// Opens many records with one call to keeper.
template <typename T, typename Tag>
async::Task<std::vector<std::optional<T>>> open_records_of(
    ipc::Link* keeper,
    WorkspaceId workspace,
    std::uint16_t column,
    std::vector<std::pair<Id<Tag>, StoredObject>> objects,
    std::uint64_t handle) {
    std::vector<std::optional<T>> out(objects.size());
    keys::OpenKeys ask;
    ask.workspace = workspace;
    ask.handle = handle;
    std::vector<std::size_t> owner;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        for (auto& [person, wrap] : objects[i].second.wraps) {
            ask.openings.push_back({column,
                                    crypto::row_key(objects[i].first),
                                    keys::WrapMode::each,
                                    {person},
                                    std::move(wrap)});
            owner.push_back(i);
        }
    }
    if (owner.empty()) co_return out;
    auto opened = co_await keeper->call(std::move(ask), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    for (std::size_t i = 0; i < owner.size() && i < opened->keys.size(); ++i) {
        auto& slot = out[owner[i]];
        if (slot || opened->keys[i].empty()) continue;
        const auto& [id, object] = objects[owner[i]];
        const crypto::Place place{workspace, column, crypto::row_key(id), 0};
        auto bytes = crypto::open(opened->keys[i], object.content, place);
        if (!bytes) co_return fail(std::move(bytes.error()));
        auto record = keys::decode_record<T>(*bytes);
        if (!record) co_return fail(std::move(record.error()));
        slot = std::move(*record);
    }
    co_return out;
}

}  // namespace

async::Task<SealedObject> MessageVault::seal_head(WorkspaceId workspace,
                                                  ThreadId thread,
                                                  ThreadHead head,
                                                  std::vector<CreatorId> people) {
    crypto::Place place{workspace, columns::threads::head.value, crypto::row_key(thread), 0};
    co_return co_await seal_record_for(&keeper_, std::move(place), std::move(head),
                                       std::move(people));
}

async::Task<SealedObject> MessageVault::seal_body(WorkspaceId workspace,
                                                  MessageId message,
                                                  MessageBody body,
                                                  std::vector<CreatorId> people) {
    crypto::Place place{workspace, columns::messages::body.value, crypto::row_key(message), 0};
    co_return co_await seal_record_for(&keeper_, std::move(place), std::move(body),
                                       std::move(people));
}

async::Task<SealedObject> MessageVault::seal_raw(WorkspaceId workspace,
                                                 MessageId message,
                                                 Bytes raw,
                                                 std::vector<CreatorId> people) {
    const crypto::Place place{workspace, columns::raw_mails::raw.value, crypto::row_key(message),
                              0};
    auto key = co_await fresh_key(&keeper_, workspace, place.column, place.row, keys::WrapMode::all,
                                  std::move(people));
    if (!key) co_return fail(std::move(key.error()));
    SealedObject out;
    out.content = store::SealedBytes(crypto::seal_bulk(key->key, codec::compress(raw), place));
    out.wraps = as_sealed(std::move(key->wraps));
    co_return out;
}

async::Task<SealedObject> MessageVault::seal_bounce(WorkspaceId workspace,
                                                    MessageId message,
                                                    CreatorId creator,
                                                    BounceDetail detail) {
    crypto::Place place{workspace, columns::bounces::detail.value,
                        crypto::row_key(message, creator), 0};
    std::vector<CreatorId> people{creator};
    co_return co_await seal_record_for(&keeper_, std::move(place), std::move(detail),
                                       std::move(people));
}

async::Task<std::vector<std::optional<BounceDetail>>> MessageVault::open_bounces(
    WorkspaceId workspace, std::vector<StoredBounce> bounces, std::uint64_t handle) {
    std::vector<std::optional<BounceDetail>> out(bounces.size());
    if (bounces.empty()) co_return out;
    constexpr auto k_column = columns::bounces::detail.value;
    keys::OpenKeys ask;
    ask.workspace = workspace;
    ask.handle = handle;
    for (auto& bounce : bounces) {
        ask.openings.push_back({k_column,
                                crypto::row_key(bounce.message, bounce.creator),
                                keys::WrapMode::each,
                                {bounce.creator},
                                std::move(bounce.wrap)});
    }
    auto opened = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    for (std::size_t i = 0; i < bounces.size() && i < opened->keys.size(); ++i) {
        if (opened->keys[i].empty()) continue;
        const auto& bounce = bounces[i];
        const crypto::Place place{workspace, k_column,
                                  crypto::row_key(bounce.message, bounce.creator), 0};
        auto bytes = crypto::open(opened->keys[i], bounce.detail, place);
        if (!bytes) co_return fail(std::move(bytes.error()));
        auto detail = keys::decode_record<BounceDetail>(*bytes);
        if (!detail) co_return fail(std::move(detail.error()));
        out[i] = std::move(*detail);
    }
    co_return out;
}

async::Task<std::vector<std::optional<ThreadHead>>> MessageVault::open_heads(
    WorkspaceId workspace,
    std::vector<std::pair<ThreadId, StoredObject>> objects,
    std::uint64_t handle) {
    co_return co_await open_records_of<ThreadHead>(
        &keeper_, workspace, columns::threads::head.value, std::move(objects), handle);
}

async::Task<std::vector<std::optional<MessageBody>>> MessageVault::open_bodies(
    WorkspaceId workspace,
    std::vector<std::pair<MessageId, StoredObject>> objects,
    std::uint64_t handle) {
    co_return co_await open_records_of<MessageBody>(
        &keeper_, workspace, columns::messages::body.value, std::move(objects), handle);
}

async::Task<Bytes> MessageVault::open_raw(WorkspaceId workspace,
                                          MessageId message,
                                          Bytes sealed,
                                          Bytes wrap,
                                          std::vector<CreatorId> people,
                                          std::uint64_t handle) {
    const crypto::Place place{workspace, columns::raw_mails::raw.value, crypto::row_key(message),
                              0};
    keys::OpenKeys ask;
    ask.workspace = workspace;
    ask.handle = handle;
    ask.openings.push_back(
        {place.column, place.row, keys::WrapMode::all, std::move(people), std::move(wrap)});
    auto opened = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    if (opened->keys.size() != 1 || opened->keys[0].empty()) {
        co_return fail(MailServiceError::not_readable);
    }
    auto packed = crypto::open_bulk(opened->keys[0], sealed, place);
    if (!packed) co_return fail(std::move(packed.error()));
    co_return codec::decompress(*packed, k_raw_bytes_max);
}

}  // namespace postern::mail
