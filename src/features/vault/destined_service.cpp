#include "features/vault/destined_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/wire.h"
#include "platform/keys/destined.h"
#include "platform/keys/key_error.h"

#include <cstdint>
#include <tuple>
#include <utility>

namespace postern::vault {
namespace {

/// Ordinary records lie at 0.
constexpr std::uint64_t k_destined = 1;

struct DestinedContent {
    std::uint8_t version = 1;
    Bytes destination;
    Secret secret;
    auto wire() { return std::tie(version, destination, secret); }
};

Result<Secret> open_content(const WorkspaceKeys& keys,
                            ByteView sealed,
                            const crypto::Place& place) {
    auto content = crypto::open_secret(keys.settings, sealed, place);
    for (const auto& older : keys.older_settings) {
        if (content) break;
        content = crypto::open_secret(older.settings, sealed, place);
    }
    return content;
}

}  // namespace

async::Task<keys::SealDestined::Answer> DestinedService::seal(keys::SealDestined asked) {
    if (asked.destination.size() > keys::k_destination_bytes_max) {
        co_return fail(ipc::IpcError::too_large);
    }
    auto secret = core_->secret_of(std::move(asked.secret), keys::k_destined_secret_bytes_max);
    if (!secret) co_return fail(std::move(secret.error()));
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    const crypto::Place place{asked.workspace, asked.column, std::move(asked.row), k_destined};
    DestinedContent content;
    content.destination = std::move(asked.destination);
    content.secret = std::move(*secret);
    ipc::Encoder encoder;
    encoder.put(content);
    const auto& bytes = encoder.bytes();
    keys::SealDestined::Answer answer;
    answer.sealed = crypto::seal(keys->settings, ByteView(bytes.data(), bytes.size()), place);
    co_return answer;
}

async::Task<keys::OpenDestined::Answer> DestinedService::open(keys::OpenDestined asked) {
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    const crypto::Place place{asked.workspace, asked.column, std::move(asked.row), k_destined};
    auto opened = open_content(*keys, asked.sealed, place);
    if (!opened) co_return fail(keys::KeyError::cannot_open);
    DestinedContent content;
    const bool is_read = opened->with_bytes([&](ByteView bytes) {
        ipc::Decoder decoder(bytes, {});
        return decoder.get(content) && decoder.finished() && content.version == 1;
    });
    if (!is_read) co_return fail(keys::KeyError::cannot_open);
    keys::OpenDestined::Answer answer;
    answer.destination = std::move(content.destination);
    answer.secret = std::move(content.secret);
    co_return answer;
}

}  // namespace postern::vault
