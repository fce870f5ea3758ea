#pragma once

#include "features/vault/places.h"

#include <cstdint>
#include <map>
#include <optional>

namespace postern::vault {

/// Tells work that was under way when access ended: a lock or cut-off does not wait for an unlock
/// that is being computed, and that unlock finds here that it came too late.
///
/// Executor: one thread.
class Revocations {
public:
    /// Lifetime: shorter than its Revocations'.
    class Watch {
    public:
        Watch(Revocations& owner, const IntegrationKey& key) : owner_(owner), key_(key) {
            auto& entry = owner_.watched_[key_];
            ++entry.watchers;
            locks_ = entry.locks;
            cut_offs_ = entry.cut_offs;
            seal_alls_ = entry.seal_alls;
            revokes_ = entry.revokes;
        }
        ~Watch() {
            const auto found = owner_.watched_.find(key_);
            if (--found->second.watchers == 0) owner_.watched_.erase(found);
        }
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        /// Locked, sealed with all others or cut off since.
        [[nodiscard]] bool locked() const {
            return owner_.watched_.at(key_).locks != locks_ || cut_off();
        }
        [[nodiscard]] bool cut_off() const {
            return owner_.watched_.at(key_).cut_offs != cut_offs_;
        }
        /// Sealed with all others since: unlike a lock it ends what no lease is needed for.
        [[nodiscard]] bool all_sealed() const {
            return owner_.watched_.at(key_).seal_alls != seal_alls_;
        }
        [[nodiscard]] bool revoked(GrantId grant) const {
            const auto& revoked = owner_.watched_.at(key_).revoked;
            const auto found = revoked.find(grant);
            return found != revoked.end() && found->second > revokes_;
        }

    private:
        Revocations& owner_;
        IntegrationKey key_;
        std::uint64_t locks_ = 0;
        std::uint64_t cut_offs_ = 0;
        std::uint64_t seal_alls_ = 0;
        std::uint64_t revokes_ = 0;
    };

    void lock(const IntegrationKey& key) {
        if (const auto found = watched_.find(key); found != watched_.end()) ++found->second.locks;
    }
    /// Every one of a workspace, or all.
    void seal_all(const std::optional<WorkspaceId>& workspace) {
        for (auto& [key, entry] : watched_) {
            if (workspace && key.workspace != *workspace) continue;
            ++entry.locks;
            ++entry.seal_alls;
        }
    }
    void revoke(const IntegrationKey& key, GrantId grant) {
        if (const auto found = watched_.find(key); found != watched_.end())
            found->second.revoked[grant] = ++found->second.revokes;
    }
    void cut_off(const IntegrationKey& key) {
        if (const auto found = watched_.find(key); found != watched_.end())
            ++found->second.cut_offs;
    }

private:
    struct Entry {
        std::uint64_t watchers = 0;
        std::uint64_t locks = 0;
        std::uint64_t cut_offs = 0;
        std::uint64_t seal_alls = 0;
        std::uint64_t revokes = 0;
        std::map<GrantId, std::uint64_t> revoked;  ///< with the number of the revoke
    };
    std::map<IntegrationKey, Entry> watched_;
};

}  // namespace postern::vault
