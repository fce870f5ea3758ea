#include "features/vault/receipt_service.h"

#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/receipt_statement.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/receipts.h"

#include <optional>
#include <string_view>
#include <utility>

namespace postern::vault {
namespace {

using ipc::IpcError;
using keys::KeyError;

constexpr std::string_view k_ledger_prefix{"postern ledger 1\0", 17};

/// Whether the keyring shows that it ended so. A first epoch never replaced another.
bool is_ended(const std::optional<IntegrationRow>& row, const keys::SignReceipt& asked) {
    switch (asked.ending) {
        case keys::Ending::cut_off:
            return !row || (row->state == IntegrationState::cut_off && row->epoch == asked.epoch);
        case keys::Ending::reseal:
            return row && row->state == IntegrationState::live && row->epoch == asked.epoch &&
                   asked.epoch > 1;
    }
    return false;
}

Bytes sign(const Keyring& keyring, std::string_view prefix, ByteView message) {
    Bytes covered = to_bytes(prefix);
    covered.insert(covered.end(), message.begin(), message.end());
    return crypto::sign(keyring.receipt_pair(), covered);
}

}  // namespace

async::Task<keys::SignReceipt::Answer> ReceiptService::sign_receipt(keys::SignReceipt asked) {
    if (asked.message.size() > k_signed_bytes_max) co_return fail(IpcError::too_large);
    const auto now = core_->now();
    if (asked.at_ms < now - k_clock_ms_max || asked.at_ms > now + k_clock_ms_max) {
        co_return fail(KeyError::not_ended);
    }
    const IntegrationKey key{asked.workspace, asked.integration};
    POSTERN_CO_TRY(const auto row, co_await core_->find(key));
    if (!is_ended(row, asked)) co_return fail(KeyError::not_ended);
    // The words name the integration alone: whoever names another workspace gets none.
    auto job = [store = &core_->store(), key] { return store->is_of_another(key); };
    POSTERN_CO_TRY(const auto is_of_another, co_await core_->reads.run(std::move(job)));
    if (is_of_another) co_return fail(KeyError::not_ended);
    const auto statement = crypto::receipt_statement(
        keys::name_of(asked.ending), asked.integration.text(), asked.epoch, rfc3339(asked.at_ms));
    co_return keys::SignReceipt::Answer{sign(core_->keyring, statement, asked.message)};
}

async::Task<keys::SignLedger::Answer> ReceiptService::sign_ledger(keys::SignLedger asked) {
    if (asked.message.size() > k_signed_bytes_max) co_return fail(IpcError::too_large);
    co_return keys::SignLedger::Answer{sign(core_->keyring, k_ledger_prefix, asked.message)};
}

}  // namespace postern::vault
