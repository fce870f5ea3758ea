#include "features/mail/courier/uses.h"

#include "features/mail/protocol/mailbox.h"
#include "foundation/base/result.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace postern::mail::courier {

UseRegistry::Redeeming::Redeeming(UseRegistry& registry)
    : registry_(registry), began_(registry.redeeming_.insert(registry.now_)) {}

UseRegistry::Redeeming::~Redeeming() {
    registry_.redeeming_.erase(began_);
    registry_.forget_old_ends();
}

UseRegistry::Use::~Use() {
    registry_.uses_.remove(this);
}

Result<std::shared_ptr<UseRegistry::Use>> UseRegistry::add(const Redeeming& redeeming,
                                                           const Terms& terms) {
    const bool ended = std::ranges::any_of(ends_, [&](const PastEnd& past) {
        return past.at >= *redeeming.began_ && hits(past.end, terms);
    });
    if (ended || terms.until_ms <= clock_.now_ms()) return fail(MailError::use_ended);
    auto use = std::make_shared<Use>(Key(), *this, terms);
    uses_.push_back(use.get());
    return use;
}

std::uint32_t UseRegistry::end(const End& end) {
    if (!redeeming_.empty()) ends_.push_back({now_, end});
    ++now_;
    std::uint32_t closed = 0;
    for (Use* use : std::vector<Use*>(uses_.begin(), uses_.end())) {
        if (hits(end, use->terms_) && use->end()) ++closed;
    }
    return closed;
}

std::uint32_t UseRegistry::end_expired() {
    const auto now = clock_.now_ms();
    std::uint32_t closed = 0;
    for (Use* use : std::vector<Use*>(uses_.begin(), uses_.end())) {
        if (use->terms_.until_ms <= now && use->end()) ++closed;
    }
    return closed;
}

void UseRegistry::end_all() {
    for (Use* use : std::vector<Use*>(uses_.begin(), uses_.end()))
        use->end();
}

bool UseRegistry::hits(const End& end, const Terms& terms) {
    if (end.integration != terms.integration) return false;
    if (end.all) return true;
    return end.grant.is_null() ? !terms.by_grant : terms.by_grant && terms.grant == end.grant;
}

bool UseRegistry::Use::end() {
    if (std::exchange(ended_, true)) return false;
    const auto close = std::exchange(close_, nullptr);
    if (close) close();
    return close != nullptr;
}

void UseRegistry::forget_old_ends() {
    if (redeeming_.empty()) return ends_.clear();
    std::erase_if(ends_, [this](const PastEnd& past) { return past.at < *redeeming_.begin(); });
}

}  // namespace postern::mail::courier
