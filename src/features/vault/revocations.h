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
        }
        ~Watch() {
            const auto found = owner_.watched_.find(key_);
            if (--found->second.watchers == 0) owner_.watched_.erase(found);
        }
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        /// Locked or cut off since.
        [[nodiscard]] bool locked() const {
            return owner_.watched_.at(key_).locks != locks_ || cut_off();
        }
        [[nodiscard]] bool cut_off() const {
            return owner_.watched_.at(key_).cut_offs != cut_offs_;
        }

    private:
        Revocations& owner_;
        IntegrationKey key_;
        std::uint64_t locks_ = 0;
        std::uint64_t cut_offs_ = 0;
    };

    void lock(const IntegrationKey& key) {
        if (const auto found = watched_.find(key); found != watched_.end()) ++found->second.locks;
    }
    /// Every one of a workspace, or all.
    void lock_all(const std::optional<WorkspaceId>& workspace) {
        for (auto& [key, entry] : watched_) {
            if (!workspace || key.workspace == *workspace) ++entry.locks;
        }
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
    };
    std::map<IntegrationKey, Entry> watched_;
};

}  // namespace postern::vault
