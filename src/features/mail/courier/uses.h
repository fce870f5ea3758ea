#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>

namespace postern::mail::courier {

/// Every connection that a credential opened, bound to the lease or grant it was opened under and
/// to its deadline: whoever ends those closes these. From the redeeming of a ticket on; an end that
/// comes while keeper's answer is still on its way counts.
class UseRegistry {
public:
    struct Terms {
        IntegrationId integration;
        bool by_grant = false;
        GrantId grant;
        UnixMs until_ms = 0;
    };
    /// Which uses end.
    struct End {
        IntegrationId integration;
        bool all = false;  ///< else only those of the lease, or of `grant` where it is set
        GrantId grant;
    };

    class Key {
        friend class UseRegistry;
        Key() = default;
    };

    /// A ticket that is being redeemed.
    class Redeeming {
    public:
        explicit Redeeming(UseRegistry& registry);
        ~Redeeming();
        Redeeming(const Redeeming&) = delete;
        Redeeming& operator=(const Redeeming&) = delete;

    private:
        friend class UseRegistry;
        UseRegistry& registry_;
        std::multiset<std::uint64_t>::iterator began_;
    };

    /// One use; over when this goes. Outlives no registry.
    class Use {
    public:
        Use(Key, UseRegistry& registry, const Terms& terms) : registry_(registry), terms_(terms) {}
        ~Use();
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

        [[nodiscard]] bool ended() const noexcept { return ended_; }
        /// Ends this one; returns whether a connection was closed.
        bool end();
        /// Called at most once, in the call that ends the use. Replaces an earlier one.
        void on_end(std::function<void()> close) { close_ = std::move(close); }

    private:
        friend class UseRegistry;
        UseRegistry& registry_;
        Terms terms_;
        bool ended_ = false;
        std::function<void()> close_;
    };

    /// Lifetime: the clock outlives the registry.
    explicit UseRegistry(const Clock& clock) : clock_(clock) {}

    /// Errors: MailError::use_ended when it was ended meanwhile or is past its deadline.
    [[nodiscard]] Result<std::shared_ptr<Use>> add(const Redeeming& redeeming, const Terms& terms);
    /// Closes at once; returns how many connections that were.
    std::uint32_t end(const End& end);
    /// Closes what is past its deadline.
    std::uint32_t end_expired();
    void end_all();
    [[nodiscard]] std::size_t size() const noexcept { return uses_.size(); }

private:
    struct PastEnd {
        std::uint64_t at = 0;
        End end;
    };
    static bool hits(const End& end, const Terms& terms);
    void forget_old_ends();

    const Clock& clock_;
    std::list<Use*> uses_;
    std::uint64_t now_ = 0;
    std::multiset<std::uint64_t> redeeming_;
    std::list<PastEnd> ends_;  ///< since the oldest ticket that is being redeemed
};

}  // namespace postern::mail::courier
