#include "features/vault/leases.h"

#include "features/vault/places.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/keys/seals.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::int64_t k_ms = 1000;

}  // namespace

bool Leases::open(const IntegrationKey& key,
                  std::uint64_t epoch,
                  IntegrationSecret secret,
                  std::int64_t lease_s,
                  UnixMs now) {
    if (leases_.size() >= k_leases_max && !leases_.contains(key)) return false;
    const auto length_s = lease_s <= 0 ? limits_.default_s : std::min(lease_s, limits_.longest_s);
    leases_[key] = {epoch, std::move(secret), now + length_s * k_ms, now + limits_.idle_s * k_ms};
    return true;
}

bool Leases::drop(const IntegrationKey& key) {
    return leases_.erase(key) != 0;
}

std::vector<IntegrationKey> Leases::drop_all(const std::optional<WorkspaceId>& workspace) {
    const auto meant = [&](const auto& entry) {
        return !workspace || entry.first.workspace == *workspace;
    };
    std::vector<IntegrationKey> dropped;
    for (const auto& entry : leases_) {
        if (meant(entry)) dropped.push_back(entry.first);
    }
    std::erase_if(leases_, meant);
    std::erase_if(pending_, meant);
    return dropped;
}

void Leases::touch(const IntegrationKey& key, UnixMs now) {
    const auto found = leases_.find(key);
    if (found == leases_.end() || now >= found->second.ends_ms()) return;
    found->second.idle_until_ms = now + limits_.idle_s * k_ms;
}

keys::Lease Leases::find(const IntegrationKey& key, UnixMs now) const {
    const auto found = leases_.find(key);
    if (found == leases_.end() || now >= found->second.ends_ms()) return {};
    const auto& entry = found->second;
    return {true, entry.epoch, entry.until_ms, entry.idle_until_ms};
}

IntegrationSecret Leases::secret(const IntegrationKey& key, std::uint64_t epoch, UnixMs now) const {
    const auto found = leases_.find(key);
    if (found == leases_.end() || found->second.epoch != epoch || now >= found->second.ends_ms()) {
        return nullptr;
    }
    return found->second.secret;
}

std::vector<Leases::Ended> Leases::expire(UnixMs now) {
    std::vector<Ended> ended;
    for (const auto& [key, entry] : leases_) {
        if (now >= entry.ends_ms()) ended.push_back({key, entry.idle_until_ms < entry.until_ms});
    }
    for (const auto& each : ended)
        leases_.erase(each.key);
    std::erase_if(pending_, [&](const auto& item) { return now >= item.second.until_ms; });
    return ended;
}

std::optional<UnixMs> Leases::next_expiry() const {
    std::optional<UnixMs> next;
    for (const auto* group : {&leases_, &pending_}) {
        for (const auto& [key, entry] : *group) {
            next = std::min(next.value_or(entry.ends_ms()), entry.ends_ms());
        }
    }
    return next;
}

bool Leases::hold_pending(const IntegrationKey& key,
                          std::uint64_t epoch,
                          IntegrationSecret secret,
                          UnixMs now) {
    if (pending_.size() >= k_pending_max && !pending_.contains(key)) return false;
    const auto until = now + k_pending_max_s * k_ms;
    pending_[key] = {epoch, std::move(secret), until, until};
    return true;
}

std::optional<Leases::Pending> Leases::pending(const IntegrationKey& key,
                                               std::uint64_t epoch,
                                               UnixMs now) const {
    const auto found = pending_.find(key);
    if (found == pending_.end() || found->second.epoch != epoch || now >= found->second.until_ms) {
        return std::nullopt;
    }
    return Pending{found->second.secret, found->second.until_ms};
}

void Leases::drop_pending(const IntegrationKey& key) {
    pending_.erase(key);
}

}  // namespace postern::vault
