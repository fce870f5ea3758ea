#pragma once

#include "platform/ipc/link.h"
#include "platform/ipc/wire.h"
#include "platform/keys/message_keys.h"

#include <utility>

namespace postern::keys {

/// The stored form of a small struct: its `k_version`, then its wire() fields. A newer version is
/// a newer struct with a reader of its own.
template <typename T>
[[nodiscard]] Bytes encode_record(T value) {
    ipc::Encoder encoder;
    std::uint8_t version = T::k_version;
    encoder.put(version);
    encoder.put(value);
    return {encoder.bytes().begin(), encoder.bytes().end()};
}

/// Errors: cannot_open, also for another version.
template <typename T>
[[nodiscard]] Result<T> decode_record(ByteView bytes) {
    ipc::Decoder decoder(bytes, {});
    std::uint8_t version = 0;
    T value{};
    if (!decoder.get(version) || version != T::k_version || !decoder.get(value) ||
        !decoder.finished()) {
        return fail(KeyError::cannot_open, "record");
    }
    return value;
}

/// One record under the workspace's settings key.
inline async::Task<Bytes> seal_record(ipc::Link* keeper,
                                      WorkspaceId workspace,
                                      std::uint16_t column,
                                      Bytes row,
                                      Bytes content,
                                      Deadline deadline) {
    SealRecords ask;
    ask.workspace = workspace;
    ask.records.push_back({column, std::move(row), std::move(content)});
    auto answer = co_await keeper->call(std::move(ask), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    if (answer->contents.size() != 1) co_return fail(KeyError::cannot_open);
    co_return std::move(answer->contents.front());
}

inline async::Task<Bytes> open_record(ipc::Link* keeper,
                                      WorkspaceId workspace,
                                      std::uint16_t column,
                                      Bytes row,
                                      Bytes sealed,
                                      Deadline deadline) {
    OpenRecords ask;
    ask.workspace = workspace;
    ask.records.push_back({column, std::move(row), std::move(sealed)});
    auto answer = co_await keeper->call(std::move(ask), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    if (answer->contents.size() != 1) co_return fail(KeyError::cannot_open);
    co_return std::move(answer->contents.front());
}

/// One keyed MAC.
inline async::Task<Bytes> compute_mac(
    ipc::Link* keeper, WorkspaceId workspace, MacPurpose purpose, Bytes value, Deadline deadline) {
    ComputeMacs ask;
    ask.workspace = workspace;
    ask.purpose = purpose;
    ask.values.push_back(std::move(value));
    auto answer = co_await keeper->call(std::move(ask), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    if (answer->macs.size() != 1) co_return fail(KeyError::cannot_open);
    co_return std::move(answer->macs.front());
}

}  // namespace postern::keys
