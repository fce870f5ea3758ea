#pragma once

#include "features/vault/places.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <map>
#include <optional>

namespace postern::vault {

/// A right to one use: what it is good for, and what opens the credential for it.
struct TicketUse {
    IntegrationKey key;
    std::uint64_t epoch = 0;
    keys::Verb verb = keys::Verb::verify;
    bool by_grant = false;
    GrantId grant;
    UnixMs until_ms = 0;  ///< end of the lease or grant behind it
    Secret wrap_key;
    Bytes credential;  ///< under wrap_key, at `place`
    crypto::Place place;
};

/// Tickets on their way from front to courier: 16 random bytes, one use, 30 seconds.
///
/// Executor: one thread.
class Tickets {
public:
    static constexpr std::size_t k_tickets_max = 512;
    static constexpr std::size_t k_ticket_bytes = 16;
    static constexpr UnixMs k_ticket_ms = 30'000;

    /// Errors: IpcError::busy when too many wait to be used.
    [[nodiscard]] Result<Bytes> add(TicketUse use, UnixMs now);
    /// Opens the credential and ends the ticket, whatever comes of it. Errors: ticket_refused.
    [[nodiscard]] Result<keys::Redeem::Answer> redeem(ByteView ticket, UnixMs now);

    void drop_all(const IntegrationKey& key);
    void drop_workspace(const std::optional<WorkspaceId>& workspace);
    void drop_epoch(const IntegrationKey& key, std::uint64_t epoch);
    void drop_other_epochs(const IntegrationKey& key, std::uint64_t kept);
    /// Those of the lease and of a pending seal, not those of grants.
    void drop_of_lease(const IntegrationKey& key);
    void drop_of_grant(const IntegrationKey& key, GrantId grant);
    [[nodiscard]] std::size_t size() const noexcept { return tickets_.size(); }

private:
    struct Entry {
        TicketUse use;
        UnixMs made_ms = 0;
    };
    std::map<Bytes, Entry> tickets_;
};

}  // namespace postern::vault
