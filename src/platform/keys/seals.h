#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

/// Seals, leases, grants and tickets: what front and courier ask of keeper about integrations.
/// Front stores Seal and GrantSeal as they are; without keeper's shares they are noise.
namespace postern::keys {

/// A secret that a person typed or a client sent: in clear, or boxed to keeper's seal key.
struct SecretInput {
    Secret clear;
    Bytes boxed;  ///< where not empty, this counts
    auto wire() { return std::tie(clear, boxed); }
};

struct HolderSeal {
    HolderId holder;
    Bytes salt;  ///< 16 bytes, for Argon2id
    std::uint32_t passes = 0;
    std::uint32_t memory_kib = 0;
    Bytes public_key;      ///< X25519
    Bytes sealed_private;  ///< commit-AEAD under HKDF(Argon2id(secret) || holder share)
    Bytes boxed_key;       ///< AEAD under the server share of the box of IK to public_key
    auto wire() {
        return std::tie(holder, salt, passes, memory_kib, public_key, sealed_private, boxed_key);
    }
};
struct Seal {
    std::uint64_t epoch = 0;
    std::vector<HolderSeal> holders;
    Bytes credential_key;  ///< wrapped by IK
    Bytes credential;      ///< destination and credential under that key
    auto wire() { return std::tie(epoch, holders, credential_key, credential); }
};

enum class Verb : std::uint8_t { send = 1, read_replies = 2, call = 4, verify = 8 };
using Verbs = std::uint8_t;  ///< Verb values or-ed

struct GrantSeal {
    GrantId grant;
    std::uint64_t epoch = 0;
    Verbs verbs = 0;
    std::uint32_t hourly_ceiling = 0;
    UnixMs expires_at_ms = 0;
    Bytes credential;  ///< under KDF(grant key, server share); all of the above is in its AAD
    auto wire() { return std::tie(grant, epoch, verbs, hourly_ceiling, expires_at_ms, credential); }
};

struct Lease {
    bool open = false;
    std::uint64_t epoch = 0;
    UnixMs until_ms = 0;       ///< the deadline asked for
    UnixMs idle_until_ms = 0;  ///< moves only by a person's acts
    auto wire() { return std::tie(open, epoch, until_ms, idle_until_ms); }
};

/// Into how many shares a generated secret is split, and how many of them open; 0: it is not.
struct ShareScheme {
    std::uint8_t shares = 0;
    std::uint8_t threshold = 0;
    auto wire() { return std::tie(shares, threshold); }
};
/// Seals a new credential, or (reseal) the present one under a new secret, as the next epoch. The
/// result is pending: CommitSeal makes it the only one, until then the old one stands. A later
/// PrepareSeal replaces a pending one.
/// Errors: weak_secret, secret_in_use (by the present seal), wrong_secret, too_many_attempts,
/// seal_key_changed, stale_epoch, bad_scheme, unknown_holder, last_holder; integration_sealed where
/// there is no lease to use.
struct PrepareSeal {
    static constexpr std::uint16_t k_method = 20;
    struct Answer {
        Seal seal;
        Secret generated;  ///< the shared secret, when it was to be generated ...
        std::vector<Secret> generated_shares;  ///< ... or its shares
        auto wire() { return std::tie(seal, generated, generated_shares); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    bool generate = false;
    ShareScheme shares;  ///< of the generated secret
    SecretInput new_secret;
    std::optional<Seal> current;  ///< reseal: the present seal ...
    SecretInput secret;           ///< ... and the secret that opens it
    bool with_lease = false;  ///< reseal: the open lease instead of a secret, for a leaving only
    std::optional<HolderId> leaving;  ///< reseal: who is no holder of the next epoch; no new secret
    Bytes destination;                ///< create, reconnect: where the credential may be used
    SecretInput credential;           ///< create, reconnect
    auto wire() {
        return std::tie(workspace, integration, generate, shares, new_secret, current, secret,
                        with_lease, leaving, destination, credential);
    }
};

/// One more holder of the present epoch, with a secret of their own. The answer's holder is stored
/// beside those of the seal; before it is, it is good for nothing.
/// Whoever asks again with the same `holder` replaces what the first try made of them.
/// Errors: as Unlock, and weak_secret, secret_in_use, too_many_holders.
struct AddHolder {
    static constexpr std::uint16_t k_method = 32;
    struct Answer {
        HolderSeal holder;
        Secret generated;
        std::vector<Secret> generated_shares;
        auto wire() { return std::tie(holder, generated, generated_shares); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    Seal seal;
    SecretInput secret;  ///< a present holder's
    bool generate = false;
    ShareScheme shares;
    SecretInput new_secret;
    std::optional<HolderId> holder = std::nullopt;  ///< none of the seal's; nothing: a new one
    auto wire() {
        return std::tie(workspace, integration, seal, secret, generate, shares, new_secret, holder);
    }
};

/// Makes the pending epoch the present one in one durable transaction: destroys the shares and
/// grant keys of the one before, drops its leases, ends its uses at courier. Idempotent.
struct CommitSeal {
    static constexpr std::uint16_t k_method = 21;
    using Answer = Lease;  ///< open when a lease was asked for
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    std::uint64_t epoch = 0;
    std::int64_t lease_s = 0;  ///< 0: no lease
    auto wire() { return std::tie(workspace, integration, epoch, lease_s); }
};
struct AbandonSeal {
    static constexpr std::uint16_t k_method = 22;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    std::uint64_t epoch = 0;
    auto wire() { return std::tie(workspace, integration, epoch); }
};

/// Errors: wrong_secret, too_many_attempts (with retry_after), integration_cut_off, stale_epoch.
struct Unlock {
    static constexpr std::uint16_t k_method = 23;
    using Answer = Lease;
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    Seal seal;
    SecretInput secret;
    std::int64_t lease_s = 0;
    std::optional<HolderId> holder = std::nullopt;  ///< whose secret it is; nothing: anybody's
    auto wire() { return std::tie(workspace, integration, seal, secret, lease_s, holder); }
};
/// Drops the lease and ends its uses at courier. Good also when there is none.
struct Lock {
    static constexpr std::uint16_t k_method = 24;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    auto wire() { return std::tie(workspace, integration); }
};
/// A person acted on it: moves the idle limit.
struct TouchLease {
    static constexpr std::uint16_t k_method = 25;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    auto wire() { return std::tie(workspace, integration); }
};

struct IntegrationStatus {
    IntegrationId integration;
    bool known = false;
    bool cut_off = false;
    std::uint64_t epoch = 0;
    std::uint64_t pending_epoch = 0;  ///< 0: none
    /// Shares and grant keys that are there, counted whatever the rest says; but for the shares of
    /// the pending epoch, which open nothing that was sealed before.
    std::uint64_t keys = 0;
    Lease lease;
    /// Whose keys are there, in order: a grant that front has and this has not is none.
    std::vector<GrantId> grants;
    auto wire() {
        return std::tie(integration, known, cut_off, epoch, pending_epoch, keys, lease, grants);
    }
};
struct GetStatus {
    static constexpr std::uint16_t k_method = 26;
    struct Answer {
        std::vector<IntegrationStatus> items;  ///< in the order asked
        auto wire() { return std::tie(items); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    std::vector<IntegrationId> integrations;
    /// Beside one key of each kind for each of them, in a change rolled back.
    bool planted = false;
    auto wire() { return std::tie(workspace, integrations, planted); }
};

/// Errors: as Unlock.
struct MakeGrant {
    static constexpr std::uint16_t k_method = 27;
    using Answer = GrantSeal;
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    GrantId grant;
    Seal seal;
    SecretInput secret;
    bool with_lease = false;  ///< use the open lease instead of a secret (right after connecting)
    Verbs verbs = 0;
    std::uint32_t hourly_ceiling = 0;
    UnixMs expires_at_ms = 0;
    auto wire() {
        return std::tie(workspace, integration, grant, seal, secret, with_lease, verbs,
                        hourly_ceiling, expires_at_ms);
    }
};
/// Destroys the grant's key and ends its uses. Good also when there is none.
struct RevokeGrant {
    static constexpr std::uint16_t k_method = 28;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    GrantId grant;
    auto wire() { return std::tie(workspace, integration, grant); }
};

/// What became of the connections that courier had.
enum class CourierEnd : std::uint8_t {
    closed,  ///< courier says so
    gone,    ///< they ended with its process
    silent,  ///< it did not answer and could not be ended
};

/// Raises the epoch, drops the lease, ends every use at courier, destroys shares and grant keys:
/// after the answer nothing on this host opens the integration. Idempotent. Works on a full disk
/// (keeper frees its reserve).
struct CutOff {
    static constexpr std::uint16_t k_method = 29;
    struct Answer {
        std::uint64_t epoch = 0;
        std::int64_t uses_ended_ms = 0;  ///< from the raised epoch to courier's acknowledgement
        std::uint32_t connections = 0;   ///< closed at courier
        std::uint32_t grants = 0;        ///< keys destroyed
        CourierEnd courier = CourierEnd::silent;
        auto wire() { return std::tie(epoch, uses_ended_ms, connections, grants, courier); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    auto wire() { return std::tie(workspace, integration); }
};

/// Ends every lease, pending seal and ticket, and with `grants` every grant, of a workspace or of
/// all: at once and without the disk, but for the grants' keys, for which keeper frees its reserve.
struct SealAll {
    static constexpr std::uint16_t k_method = 33;
    struct Ended {
        WorkspaceId workspace;
        IntegrationId integration;
        auto wire() { return std::tie(workspace, integration); }
    };
    struct Answer {
        std::vector<Ended> ended;  ///< integrations that were open or granted
        std::uint32_t leases = 0;
        std::uint32_t grants = 0;       ///< keys destroyed
        std::uint32_t connections = 0;  ///< closed at courier
        bool confirmed = true;          ///< courier closed them, or ended with them
        auto wire() { return std::tie(ended, leases, grants, connections, confirmed); }
    };
    using Failure = KeyError;
    std::optional<WorkspaceId> workspace;  ///< nothing: all
    bool grants = false;
    auto wire() { return std::tie(workspace, grants); }
};

/// What the keyring's wraps are under: whether a rotation left anything behind.
struct CountWraps {
    static constexpr std::uint16_t k_method = 34;
    struct Answer {
        bool rotating = false;       ///< one has begun, and its end is not in the files yet
        std::uint64_t wraps = 0;     ///< all that a rotation moves
        std::uint64_t waiting = 0;   ///< of them under a key that is to be destroyed after them
        std::uint64_t orphaned = 0;  ///< of them under a key that is not there (any more)
        std::uint64_t old_keys = 0;  ///< keys that are there and are to be destroyed
        auto wire() { return std::tie(rotating, wraps, waiting, orphaned, old_keys); }
    };
    using Failure = KeyError;
    bool planted = false;  ///< beside a wrap of nobody's under no key, in a change rolled back
    auto wire() { return std::tie(planted); }
};

/// A right to one use, for courier to redeem within 30 s. Bound to lease or grant and to the epoch.
/// Errors: integration_sealed, integration_cut_off, ceiling_reached, stale_epoch.
struct MintTicket {
    static constexpr std::uint16_t k_method = 30;
    struct Answer {
        Bytes ticket;  ///< 16 random bytes
        bool by_grant = false;
        GrantId grant;
        UnixMs until_ms = 0;
        auto wire() { return std::tie(ticket, by_grant, grant, until_ms); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    Verb verb = Verb::verify;
    Seal seal;
    std::vector<GrantSeal> grants;
    bool pending = false;  ///< the pending epoch, to verify before it is committed
    auto wire() { return std::tie(workspace, integration, verb, seal, grants, pending); }
};

/// Courier only. Errors: ticket_refused.
struct Redeem {
    static constexpr std::uint16_t k_method = 31;
    struct Answer {
        WorkspaceId workspace;
        IntegrationId integration;
        std::uint64_t epoch = 0;
        Verb verb = Verb::verify;
        bool by_grant = false;
        GrantId grant;
        UnixMs until_ms = 0;
        Bytes destination;
        Secret credential;
        auto wire() {
            return std::tie(workspace, integration, epoch, verb, by_grant, grant, until_ms,
                            destination, credential);
        }
    };
    using Failure = KeyError;
    Bytes ticket;
    auto wire() { return std::tie(ticket); }
};

/// Keeper to courier: close what was opened under it, now. Answered when it is closed.
struct EndUses {
    static constexpr std::uint16_t k_method = 40;
    struct Answer {
        std::uint32_t connections = 0;
        auto wire() { return std::tie(connections); }
    };
    using Failure = KeyError;
    IntegrationId integration;
    bool all = false;  ///< else only those of the lease, or of `grant` where it is set
    GrantId grant;
    auto wire() { return std::tie(integration, all, grant); }
};

/// Keeper to front: a lease ended by itself (deadline or idle).
struct LeaseEnded {
    static constexpr std::uint16_t k_method = 41;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    WorkspaceId workspace;
    IntegrationId integration;
    bool idle = false;
    auto wire() { return std::tie(workspace, integration, idle); }
};

}  // namespace postern::keys
