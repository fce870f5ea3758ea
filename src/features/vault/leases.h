#pragma once

#include "features/vault/places.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace postern::vault {

/// How long a lease lasts, in seconds.
struct LeaseLimits {
    std::int64_t default_s = 12 * 3600;
    std::int64_t longest_s = 7 * 24 * 3600;
    std::int64_t idle_s = 8 * 3600;  ///< without a person's act
};
/// How long a new seal may wait to be committed and still be tried or leased.
inline constexpr std::int64_t k_pending_max_s = 15 * 60;

/// An integration's key in locked memory, never on disk.
using IntegrationSecret = std::shared_ptr<const Secret>;

/// Opened integrations: each has a deadline, and an idle limit that only a person's acts move.
/// Beside them the keys of seals that are not committed yet.
///
/// Executor: one thread.
class Leases {
public:
    static constexpr std::size_t k_leases_max = 10'000;
    static constexpr std::size_t k_pending_max = 1000;

    explicit Leases(const LeaseLimits& limits) : limits_(limits) {}

    /// Replaces the one before. `lease_s` is cut at the longest; 0 or less is the default. False
    /// when there are too many.
    [[nodiscard]] bool open(const IntegrationKey& key,
                            std::uint64_t epoch,
                            IntegrationSecret secret,
                            std::int64_t lease_s,
                            UnixMs now);
    /// True when there was one.
    bool drop(const IntegrationKey& key);
    /// All of a workspace, or all; pending ones too. Returns those that had a lease.
    std::vector<IntegrationKey> drop_all(const std::optional<WorkspaceId>& workspace);
    /// Nothing happens where there is none, or it is over.
    void touch(const IntegrationKey& key, UnixMs now);
    /// `open` is false where there is none or it is over.
    [[nodiscard]] keys::Lease find(const IntegrationKey& key, UnixMs now) const;
    /// Null unless open and of this epoch.
    [[nodiscard]] IntegrationSecret secret(const IntegrationKey& key,
                                           std::uint64_t epoch,
                                           UnixMs now) const;

    struct Ended {
        IntegrationKey key;
        bool idle = false;
    };
    /// Drops and returns what is over.
    [[nodiscard]] std::vector<Ended> expire(UnixMs now);
    [[nodiscard]] std::optional<UnixMs> next_expiry() const;

    [[nodiscard]] bool hold_pending(const IntegrationKey& key,
                                    std::uint64_t epoch,
                                    IntegrationSecret secret,
                                    UnixMs now);
    struct Pending {
        IntegrationSecret secret;
        UnixMs until_ms = 0;
    };
    /// Nothing unless it is of this epoch and still fresh.
    [[nodiscard]] std::optional<Pending> pending(const IntegrationKey& key,
                                                 std::uint64_t epoch,
                                                 UnixMs now) const;
    void drop_pending(const IntegrationKey& key);

private:
    struct Entry {
        std::uint64_t epoch = 0;
        IntegrationSecret secret;
        UnixMs until_ms = 0;
        UnixMs idle_until_ms = 0;

        [[nodiscard]] UnixMs ends_ms() const { return std::min(until_ms, idle_until_ms); }
    };
    LeaseLimits limits_;
    std::map<IntegrationKey, Entry> leases_;
    std::map<IntegrationKey, Entry> pending_;
};

}  // namespace postern::vault
