#pragma once

#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "platform/audit/audit_log.h"
#include "platform/events/event_log.h"
#include "platform/ipc/link.h"
#include "platform/store/reserve.h"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::integrations {

/// The limits of a grant that somebody asks for.
struct GrantAsk {
    keys::Verbs verbs = 0;
    std::uint32_t hourly_ceiling = 0;
    std::int64_t expires_in_s = 0;
    GrantId id{};  ///< null: a fresh one. The same again makes that grant anew, never a second
    audit::By by{};
};

struct ConnectAsk {
    std::string name;
    std::string level;
    std::string region;
    mail::MailboxDestination destination;
    keys::SecretInput credential;
    bool generate = false;
    keys::ShareScheme shares;  ///< of the generated secret
    keys::SecretInput shared_secret;
    std::optional<GrantAsk> keep_working;  ///< "while I am away"
    std::optional<IntegrationId> id;       ///< of what connect() makes; nothing: a fresh one
    audit::By by{};
};

/// What was done to one of them.
[[nodiscard]] audit::Act act_of(PublicText action, audit::By by, IntegrationId id);

/// What connecting or reconnecting came to. Where a check is not good nothing was stored.
struct Connected {
    std::vector<mail::Check> checks;
    std::optional<View> view;
    Secret generated;
    std::vector<Secret> generated_shares;
    std::optional<Error> not_granted;  ///< why there is no grant, though one was asked for
};

/// Somebody who is to hold a secret of their own.
struct HolderAsk {
    std::optional<HolderId> id;  ///< nothing: a new one
    std::string name;
    keys::SecretInput secret;  ///< of a present holder
    bool generate = false;
    keys::ShareScheme shares;
    keys::SecretInput new_secret;
    audit::By by{};
};

struct Ticket {
    Bytes ticket;
    UnixMs until_ms = 0;
    bool by_grant = false;
};

/// What the operator decided.
struct Policy {
    std::int64_t lease_default_s = 12 * 3600;
    std::int64_t lease_longest_s = 7 * 86400;
    std::vector<std::string> regions;  ///< where data may lie
};

/// Tells whoever works with integrations that one opened, closed or changed.
class StateListener {
public:
    virtual ~StateListener() = default;
    virtual void integration_changed(WorkspaceId workspace, IntegrationId integration) = 0;
};

/// The life of integrations: connect, lease, grant, re-seal, cut off, reconnect, delete. Rows are
/// front's, secrets keeper's; every change that spans both is an operation row first, which
/// recover() completes or undoes after a crash. `by` is who asks, for the audit record: without it
/// nothing changes, but for lock, revoking, sealing everything, cutting off and deleting.
///
/// Executor: all calls from front's thread. Lifetime: outlives every coroutine it started.
class Integrations {
public:
    struct Parts {
        store::Database& database;
        store::Reserve& reserve;
        ipc::Link& keeper;
        ipc::Link& courier;
        events::EventLog& events;
        audit::AuditLog& audit;
        const Clock& clock;
        Policy policy;
        /// Between tries to finish what is decided.
        std::chrono::milliseconds finish_pause{1000};
    };
    explicit Integrations(Parts parts) : parts_(std::move(parts)) {}

    void listen(StateListener& listener) { listener_ = &listener; }
    [[nodiscard]] const Policy& policy() const noexcept { return parts_.policy; }

    async::Task<Connected> connect(WorkspaceId workspace, ConnectAsk ask);
    /// Errors: not_found, deleted, other_account, busy, and keeper's.
    async::Task<Connected> reconnect(WorkspaceId workspace, IntegrationId id, ConnectAsk ask);
    async::Task<std::vector<mail::Check>> verify(audit::By by,
                                                 WorkspaceId workspace,
                                                 IntegrationId id);

    async::Task<View> get(WorkspaceId workspace, IntegrationId id);
    /// Row and settings of any integration, deleted ones too; nothing is asked about its lease.
    async::Task<View> describe(WorkspaceId workspace, IntegrationId id);
    async::Task<std::vector<View>> list(WorkspaceId workspace,
                                        IntegrationId after,
                                        std::int64_t limit);
    /// Those that no person has used for so long: a person decides whether to cut them off.
    async::Task<std::vector<View>> list_idle(WorkspaceId workspace,
                                             IntegrationId after,
                                             std::int64_t idle_s,
                                             std::int64_t limit);
    /// How many those are in all workspaces.
    async::Task<std::int64_t> count_idle(std::int64_t idle_s);
    /// `is_current` judges what it is about to change, while nothing else changes it.
    /// Errors: not_found, busy, changed_meanwhile.
    async::Task<> rename(audit::By by,
                         WorkspaceId workspace,
                         IntegrationId id,
                         std::string name,
                         std::function<bool(const View&)> is_current);

    async::Task<keys::Lease> unlock(audit::By by,
                                    WorkspaceId workspace,
                                    IntegrationId id,
                                    keys::SecretInput secret,
                                    std::int64_t lease_s,
                                    std::optional<HolderId> holder = std::nullopt);
    async::Task<> lock(audit::By by, WorkspaceId workspace, IntegrationId id);
    async::Task<> touch(WorkspaceId workspace, IntegrationId id);
    async::Task<Grant> grant(WorkspaceId workspace,
                             IntegrationId id,
                             keys::SecretInput secret,
                             GrantAsk ask);
    async::Task<> revoke_grant(audit::By by,
                               WorkspaceId workspace,
                               IntegrationId id,
                               GrantId grant);

    struct Resealed {
        Receipt receipt;
        Secret generated;
        std::vector<Secret> generated_shares;
    };
    async::Task<Resealed> reseal(audit::By by,
                                 WorkspaceId workspace,
                                 IntegrationId id,
                                 keys::SecretInput secret,
                                 keys::SecretInput new_secret,
                                 bool generate,
                                 keys::ShareScheme shares = {});

    /// In the order they came. Errors: integration_cut_off.
    async::Task<std::vector<Holder>> holders(WorkspaceId workspace, IntegrationId id);
    struct HolderAdded {
        Holder holder;
        Secret generated;
        std::vector<Secret> generated_shares;
    };
    async::Task<HolderAdded> add_holder(WorkspaceId workspace, IntegrationId id, HolderAsk ask);
    /// A new epoch without them; nobody else has to be there. With a holder's secret, or with the
    /// open lease where none is given. Errors: not_found, last_holder.
    async::Task<Receipt> remove_holder(audit::By by,
                                       WorkspaceId workspace,
                                       IntegrationId id,
                                       HolderId holder,
                                       std::optional<keys::SecretInput> secret);

    struct SealedAll {
        std::vector<IntegrationId> ended;
        std::uint32_t leases = 0;
        std::uint32_t grants = 0;
        std::uint32_t connections = 0;
        bool confirmed = true;
    };
    /// Ends every lease, ticket and connection of a workspace, or of all, and with `grants` every
    /// grant. Works on a full disk.
    async::Task<SealedAll> seal_all(audit::By by,
                                    std::optional<WorkspaceId> workspace,
                                    bool grants);
    /// Cuts off; `erase` also takes the integration out of every list (DELETE).
    async::Task<Receipt> cut_off(audit::By by, WorkspaceId workspace, IntegrationId id, bool erase);
    async::Task<Receipt> receipt(WorkspaceId workspace, ReceiptId id);

    /// Whether a person's request that needs `verb` can be carried out, and that a person acts.
    /// Errors: not_found, integration_sealed, integration_cut_off, access_removed.
    async::Task<> check_open(WorkspaceId workspace, IntegrationId id, keys::Verb verb);
    /// A right to one use, for courier. Errors: integration_sealed, integration_cut_off, ...
    async::Task<Ticket> ticket(WorkspaceId workspace, IntegrationId id, keys::Verb verb);
    async::Task<> set_broken(WorkspaceId workspace,
                             IntegrationId id,
                             std::optional<std::string> code);
    /// What passes by itself has passed: a refused sign-in stays.
    async::Task<> mend(WorkspaceId workspace, IntegrationId id);
    async::Task<std::vector<Integration>> list_active();

    /// For whatever changed without a request: a lease that ended by itself.
    async::Job announce(WorkspaceId workspace, IntegrationId id);

    /// Completes or undoes what a crash interrupted: before the port opens, and now and then.
    async::Task<> recover();
    /// Tells once at 7 and once at 1 day before a grant ends, and removes ended ones.
    async::Task<> warn_of_ending_grants();

private:
    class Change;
    struct Replacement {
        Operation operation;
        keys::Seal seal;
        std::optional<Bytes> sealed_settings;
        std::optional<LedgerEntry> ledger;
        audit::Act act;
    };

    async::Task<Integration> load(WorkspaceId workspace, IntegrationId id);
    async::Task<View> view_of(Integration row);
    async::Task<Settings> open_settings(WorkspaceId workspace, IntegrationId id, Bytes sealed);
    async::Task<Bytes> seal_settings(WorkspaceId workspace, IntegrationId id, Settings settings);
    async::Task<std::vector<mail::Check>> verify_pending(WorkspaceId workspace,
                                                         IntegrationId id,
                                                         keys::Seal seal);
    async::Task<> abandon(WorkspaceId workspace, IntegrationId id, std::uint64_t epoch);
    async::Task<> store_new(Integration row, Operation operation, keys::Seal seal);
    async::Task<> store_replacement(Replacement replacement);
    async::Task<> finish_replacement(Operation operation);
    async::Task<keys::Lease> finish_reconnect(Operation operation);
    boost::asio::awaitable<bool> may_try_again(Error error, int tries);
    async::Task<> store_grant(audit::By by, WorkspaceId workspace, IntegrationId id, Grant row);
    async::Task<Grant> store_grant_with_lease(WorkspaceId workspace,
                                              IntegrationId id,
                                              keys::Seal seal,
                                              GrantAsk ask);
    /// Tells of what now stands; `made` is shown where it cannot be looked at again.
    async::Task<> present(View made, std::optional<GrantAsk> keep_working, Connected* out);
    async::Task<> record_ending(Operation operation, StoredState state);
    async::Task<Receipt> finish_ending(Operation operation);
    async::Task<Receipt> finish_reseal(Operation operation);
    async::Task<Receipt> store_receipt(Operation operation, Receipt receipt);
    async::Task<LedgerEntry> sign_entry(Operation operation);
    /// A prepared epoch of the same credential: recorded, committed, told of.
    async::Task<Receipt> replace_seal(audit::Act act,
                                      WorkspaceId workspace,
                                      IntegrationId id,
                                      keys::Seal seal);
    async::Task<Integration> load_live(WorkspaceId workspace, IntegrationId id);
    async::Task<std::string> open_name(WorkspaceId workspace, IntegrationId id, Bytes sealed);
    /// A wrong secret stands in the record of whoever gave it.
    async::Job note_refusal(audit::By by, WorkspaceId workspace, IntegrationId id, bool is_wrong);
    async::Task<> note_use(WorkspaceId workspace, IntegrationId id, UnixMs last_used_at_ms);
    async::Task<> tell_sealed(audit::By by,
                              WorkspaceId workspace,
                              std::uint32_t ended,
                              bool grants);
    using Touched = std::set<std::pair<WorkspaceId, IntegrationId>>;
    /// Drops the rows of grants that keeper has no key of: a seal-all or a revocation was not
    /// written down. Returns whose they were.
    async::Task<Touched> drop_dead_grants();
    async::Task<std::vector<rows::GrantRow>> dead_of(std::vector<rows::GrantRow> page);
    async::Job announce_all(Touched touched);
    async::Task<> recover_one(Operation operation);
    async::Task<> finish(Operation operation);
    async::Task<> finish_or_forget(Operation operation);
    /// Brings a re-seal or reconnect that was left to its end, so that the next change is one of
    /// what it made and does not take its place. The caller holds the integration.
    async::Task<> finish_left(WorkspaceId workspace, IntegrationId id);
    async::Task<> forget_replacement(Operation operation);
    async::Task<keys::Lease> confirm_new(Operation operation);
    /// Deleted, or not confirmed yet: for everybody outside it is not there.
    [[nodiscard]] static bool is_hidden(const Integration& row) {
        return row.stored_state == StoredState::deleted ||
               row.stored_state == StoredState::connecting;
    }
    async::Task<> undo_connect(Operation operation);
    /// Whoever asks again need not wait for recovery. The caller holds the integration.
    async::Task<> undo_left_connects(WorkspaceId workspace, IntegrationId id);
    /// Writes; on a full disk frees the reserve and tries once more.
    template <typename F>
    async::Task<> write_surely(F body);
    /// The same with its record, which stops it no more than the disk does.
    template <typename F>
    async::Task<> end_surely(WorkspaceId workspace, audit::Act act, F body);
    void changed(WorkspaceId workspace, IntegrationId id);
    [[nodiscard]] Operation make_operation(WorkspaceId workspace,
                                           IntegrationId id,
                                           std::string kind,
                                           std::uint64_t epoch,
                                           audit::By by = {}) const;

    Parts parts_;
    StateListener* listener_ = nullptr;
    std::set<IntegrationId> busy_;    // being connected, re-sealed, renamed or recovered
    std::set<IntegrationId> ending_;  // being cut off or deleted
};

/// Holds an integration for one change at a time; a second one is refused, not queued.
class Integrations::Change {
public:
    Change(std::set<IntegrationId>& busy, IntegrationId id)
        : busy_(busy), id_(id), mine_(busy.insert(id).second) {}
    ~Change() {
        if (mine_) busy_.erase(id_);
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    [[nodiscard]] bool mine() const { return mine_; }

private:
    std::set<IntegrationId>& busy_;
    IntegrationId id_;
    bool mine_;
};

}  // namespace postern::integrations
