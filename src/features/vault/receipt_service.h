#pragma once

#include "features/vault/keeper_core.h"
#include "platform/keys/receipts.h"

#include <memory>
#include <utility>

namespace postern::vault {

/// Signatures under the installation's receipt key: of receipts, for what the keyring shows to have
/// ended, and of ledger entries.
class ReceiptService {
public:
    static constexpr std::size_t k_signed_bytes_max = 64 * 1024;
    /// What a receipt's time may be away from keeper's clock: it is composed right before.
    static constexpr std::int64_t k_clock_ms_max = 60'000;

    explicit ReceiptService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<keys::SignReceipt::Answer> sign_receipt(keys::SignReceipt asked);
    async::Task<keys::SignLedger::Answer> sign_ledger(keys::SignLedger asked);

private:
    std::shared_ptr<KeeperCore> core_;
};

}  // namespace postern::vault
