#pragma once

#include "features/integrations/integration_types.h"
#include "platform/audit/record.h"
#include "platform/store/database.h"

#include <optional>
#include <vector>

namespace postern::integrations {

/// A change that was requested and is not finished: recovery completes or undoes it.
struct Operation {
    WorkspaceId workspace;
    ReceiptId receipt;
    IntegrationId integration;
    std::string kind;  ///< connect, reseal, reconnect, cut_off, delete
    std::uint64_t epoch = 0;
    audit::By by{};  ///< who asked for it; where they were is not stored
};

/// What outlives the rows it tells of: appended before the destruction, copied to backup sites.
struct LedgerEntry {
    std::string text;
    Bytes signature;
};

/// Rows of integrations, seals, grants, operations, receipts and the ledger. Each function is part
/// of the caller's transaction. Errors: those of the store, IntegrationError::not_found.
namespace rows {

Result<> insert_integration(store::Transaction& tx, const Integration& row);
Result<> insert_seal(store::Transaction& tx,
                     WorkspaceId workspace,
                     IntegrationId integration,
                     keys::Seal seal);
Result<> insert_grant(store::Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      const Grant& grant);
/// With its present seal and grants. Deleted ones are found too.
Result<Integration> load(store::Transaction& tx, WorkspaceId workspace, IntegrationId integration);
/// At most `limit` with ids above `after`, without seals; deleted ones left out.
Result<std::vector<Integration>> list(store::Transaction& tx,
                                      WorkspaceId workspace,
                                      IntegrationId after,
                                      std::int64_t limit);
/// Every active integration of every workspace.
Result<std::vector<Integration>> list_active(store::Transaction& tx);

/// Active ones that nobody has used since `cutoff_ms`.
Result<std::vector<Integration>> list_idle(store::Transaction& tx,
                                           WorkspaceId workspace,
                                           IntegrationId after,
                                           UnixMs cutoff_ms,
                                           std::int64_t limit);
/// The same, counted in every workspace.
Result<std::int64_t> count_idle(store::Transaction& tx, UnixMs cutoff_ms);
Result<> set_used(store::Transaction& tx,
                  WorkspaceId workspace,
                  IntegrationId integration,
                  UnixMs now_ms);

/// A holder's name, sealed, and since when.
struct HolderRow {
    HolderId holder;
    Bytes sealed_name;
    UnixMs created_at_ms = 0;
};
Result<> insert_holder(store::Transaction& tx,
                       WorkspaceId workspace,
                       IntegrationId integration,
                       const HolderRow& row);
Result<std::vector<HolderRow>> list_holders(store::Transaction& tx,
                                            WorkspaceId workspace,
                                            IntegrationId integration);
Result<> delete_holder(store::Transaction& tx,
                       WorkspaceId workspace,
                       IntegrationId integration,
                       HolderId holder);
/// One making of a grant: the same id made anew is another one.
struct GrantRow {
    WorkspaceId workspace;
    GrantId grant;
    IntegrationId integration;
    UnixMs created_at_ms = 0;
};
/// At most `limit` after that one, of all workspaces, in order.
Result<std::vector<GrantRow>> list_grants(store::Transaction& tx,
                                          const GrantRow& after,
                                          std::int64_t limit);
/// Good also when it is gone, or made anew since.
Result<> delete_made_grant(store::Transaction& tx, const GrantRow& row);

Result<> set_state(store::Transaction& tx,
                   WorkspaceId workspace,
                   IntegrationId integration,
                   StoredState state);
Result<> set_broken(store::Transaction& tx,
                    WorkspaceId workspace,
                    IntegrationId integration,
                    std::optional<std::string_view> code);
/// The new epoch becomes the present one; other seals and all grants go.
Result<> set_epoch(store::Transaction& tx,
                   WorkspaceId workspace,
                   IntegrationId integration,
                   std::uint64_t epoch);
Result<> set_settings(store::Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      const Bytes& sealed_settings);
Result<> delete_seal(store::Transaction& tx,
                     WorkspaceId workspace,
                     IntegrationId integration,
                     std::uint64_t epoch);
Result<> delete_seals_and_grants(store::Transaction& tx,
                                 WorkspaceId workspace,
                                 IntegrationId integration);
Result<> delete_integration(store::Transaction& tx,
                            WorkspaceId workspace,
                            IntegrationId integration);
/// Errors: grant_not_found.
Result<> delete_grant(store::Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      GrantId grant);
Result<> set_warned(store::Transaction& tx,
                    WorkspaceId workspace,
                    GrantId grant,
                    std::int64_t days);

Result<> insert_operation(store::Transaction& tx, const Operation& operation, UnixMs now_ms);
/// Errors: superseded when a later operation took its place.
Result<> delete_operation(store::Transaction& tx, WorkspaceId workspace, ReceiptId receipt);
Result<> delete_operations_of(store::Transaction& tx,
                              WorkspaceId workspace,
                              IntegrationId integration);
Result<std::vector<Operation>> list_operations(store::Transaction& tx);
/// Re-seals and reconnects of it that were recorded and are not finished, the earliest first.
Result<std::vector<Operation>> left_replacements(store::Transaction& tx,
                                                 WorkspaceId workspace,
                                                 IntegrationId integration);
/// Connects of it that came to no end: nobody was told that it exists.
Result<std::vector<Operation>> left_connects(store::Transaction& tx,
                                             WorkspaceId workspace,
                                             IntegrationId integration);
Result<bool> has_operation(store::Transaction& tx, WorkspaceId workspace, ReceiptId receipt);
/// Whether a cut-off or deletion was requested and is not finished.
Result<bool> is_ending(store::Transaction& tx, WorkspaceId workspace, IntegrationId integration);

Result<> insert_receipt(store::Transaction& tx,
                        WorkspaceId workspace,
                        const Receipt& receipt,
                        IntegrationId subject,
                        const Bytes& sealed_body);
/// The sealed body. Errors: not_found.
Result<Bytes> load_receipt(store::Transaction& tx, WorkspaceId workspace, ReceiptId receipt);
Result<> append_ledger(store::Transaction& tx, WorkspaceId workspace, const LedgerEntry& entry);

}  // namespace rows
}  // namespace postern::integrations
