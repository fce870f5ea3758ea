#include "features/integrations/integration_store.h"
#include "features/integrations/store_probe_fake.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::integrations::test {
namespace {

constexpr store::SqlText k_seal_epochs =
    "SELECT epoch FROM seals WHERE integration_id = $1 ORDER BY epoch";
constexpr store::SqlText k_grant_epochs =
    "SELECT epoch FROM grants WHERE integration_id = $1 ORDER BY epoch";
constexpr store::SqlText k_receipts = "SELECT receipt_id FROM receipts WHERE subject_id = $1";
constexpr store::SqlText k_ledger = "SELECT entry, signature FROM ledger ORDER BY number";

template <typename T, typename F>
std::vector<T> read_all(store::Database& database, F query, T (*decode)(const store::Row&)) {
    const auto body = [&](store::Transaction& tx) -> Result<std::vector<T>> {
        POSTERN_TRY(const auto found, query(tx));
        std::vector<T> out;
        for (const auto& row : found)
            out.push_back(decode(row));
        return out;
    };
    return database.read_now(body).value();
}

std::uint64_t number(const store::Row& row) {
    return static_cast<std::uint64_t>(row.integer(0));
}
ReceiptId receipt(const store::Row& row) {
    return row.id<ReceiptTag>(0);
}
LedgerEntry entry(const store::Row& row) {
    return {std::string(as_text(row.clear_bytes(0))), row.clear_bytes(1)};
}

}  // namespace

std::vector<std::uint64_t> seal_epochs(store::Database& database, IntegrationId id) {
    const auto query = [id](store::Transaction& tx) { return tx.query(k_seal_epochs, {id}); };
    return read_all(database, query, number);
}

std::vector<std::uint64_t> grant_epochs(store::Database& database, IntegrationId id) {
    const auto query = [id](store::Transaction& tx) { return tx.query(k_grant_epochs, {id}); };
    return read_all(database, query, number);
}

std::vector<ReceiptId> receipts_of(store::Database& database, IntegrationId id) {
    const auto query = [id](store::Transaction& tx) { return tx.query(k_receipts, {id}); };
    return read_all(database, query, receipt);
}

std::vector<LedgerEntry> ledger_of(store::Database& database) {
    const auto query = [](store::Transaction& tx) { return tx.query(k_ledger); };
    return read_all(database, query, entry);
}

}  // namespace postern::integrations::test
