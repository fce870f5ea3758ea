#pragma once

#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/played_process_fake.h"
#include "features/integrations/receipt_text.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/manual_clock_test.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/receipt_statement.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/receipts.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::integrations::test {

inline std::string text_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}
inline Secret secret_of(std::string_view text) {
    return Secret::copy_of(as_bytes(text));
}
inline keys::SecretInput typed(std::string_view text) {
    return {secret_of(text), {}};
}

using postern::test::ManualClock;

/// Keeper's promises about seals, leases and grants without its cryptography: what opens a seal is
/// a secret in a map, and what destroys it takes it out of the map.
class PlayedKeeper final : public PlayedProcess {
public:
    struct Held {
        bool live = false;
        bool cut_off = false;
        std::uint64_t epoch = 0;
        std::uint64_t pending = 0;
        std::uint64_t minted = 0;
        std::map<std::uint64_t, std::string> secrets;  ///< by epoch: gone when its shares are
        keys::Lease lease;
        std::map<GrantId, keys::Verbs> grants;
    };

    PlayedKeeper(net::test::Loop& loop, const Clock& clock);

    Held& of(WorkspaceId workspace, IntegrationId id) { return held_[{workspace, id}]; }
    [[nodiscard]] bool knows(WorkspaceId workspace, IntegrationId id) const;
    void forget(WorkspaceId workspace, IntegrationId id) { held_.erase({workspace, id}); }
    void end_lease(WorkspaceId workspace, IntegrationId id) { of(workspace, id).lease = {}; }
    [[nodiscard]] bool has_signed(const Receipt& receipt) const;
    [[nodiscard]] bool has_signed(const LedgerEntry& entry) const;
    [[nodiscard]] const Bytes& receipt_key() const { return signing_.public_key; }

    std::string last_generated;
    std::vector<std::string> credentials;  ///< of every new seal that has one of its own
    keys::CourierEnd courier_end = keys::CourierEnd::closed;
    int touched = 0;

private:
    using Key = std::pair<WorkspaceId, IntegrationId>;

    Result<keys::SignReceipt::Answer> sign(const keys::SignReceipt& ask);
    void serve_seals();
    void serve_uses();
    void serve_records();

    static Result<> require_live(const Held& held, std::uint64_t epoch);
    static Result<> try_secret(const Held& held, std::uint64_t epoch, const Secret& secret);
    static Result<bool> live_or(const Held& held, std::uint64_t epoch);
    Result<keys::PrepareSeal::Answer> prepare(keys::PrepareSeal& ask);
    Result<keys::Lease> commit(keys::CommitSeal& ask);
    [[nodiscard]] keys::Lease lease_of(std::uint64_t epoch, std::int64_t lease_s) const;
    static Result<std::string> leave(const Held& held,
                                     const keys::PrepareSeal& ask,
                                     std::vector<keys::HolderSeal>& holders);
    Result<keys::AddHolder::Answer> add_holder(keys::AddHolder& ask);
    Result<keys::SealAll::Answer> seal_all(keys::SealAll& ask);
    Result<ipc::Nothing> abandon(keys::AbandonSeal& ask);
    Result<keys::CutOff::Answer> cut_off(keys::CutOff& ask);
    Result<keys::Lease> unlock(keys::Unlock& ask);
    Result<keys::GetStatus::Answer> status(keys::GetStatus& ask);
    Result<keys::GrantSeal> grant(keys::MakeGrant& ask);
    Result<keys::MintTicket::Answer> mint(keys::MintTicket& ask);

    const Clock& clock_;
    crypto::SigningPair signing_;
    std::map<Key, Held> held_;
    int generated_ = 0;
};

/// Verifies mailboxes as it is told to.
class PlayedCourier final : public PlayedProcess {
public:
    explicit PlayedCourier(net::test::Loop& loop);
    void refuse_sign_in();
    std::vector<mail::Check> checks = {{"imap_sign_in", true, "", "", ""},
                                       {"smtp_sign_in", true, "", "", ""}};
};

}  // namespace postern::integrations::test
