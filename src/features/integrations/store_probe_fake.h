#pragma once

#include "features/integrations/integration_store.h"
#include "foundation/base/id.h"
#include "platform/store/database.h"

#include <cstdint>
#include <vector>

/// Looks at rows past the module's own functions, which hide what does not count.
namespace postern::integrations::test {

[[nodiscard]] std::vector<std::uint64_t> seal_epochs(store::Database& database, IntegrationId id);
[[nodiscard]] std::vector<std::uint64_t> grant_epochs(store::Database& database, IntegrationId id);
[[nodiscard]] std::vector<ReceiptId> receipts_of(store::Database& database, IntegrationId id);
[[nodiscard]] std::vector<LedgerEntry> ledger_of(store::Database& database);

}  // namespace postern::integrations::test
