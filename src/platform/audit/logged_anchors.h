#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/audit_log.h"
#include "platform/ipc/link.h"
#include "platform/store/database.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::audit {

/// The way to the operator's log server.
class AnchorCarrier {
public:
    virtual ~AnchorCarrier() = default;
    [[nodiscard]] virtual bool is_set() const = 0;
    /// Writes their lines, at most k_carried_max, where `anew` says so on a new connection. The
    /// answer is the connection's number, never 0; that it is good says that they were written,
    /// not that anybody keeps them. Errors: why they could not be.
    virtual async::Task<std::int64_t> carry(std::vector<Anchor> anchors, bool anew) = 0;
};
inline constexpr std::size_t k_carried_max = 500;

/// Says at a log server, which acknowledges nothing, how far each workspace's record has come: what
/// is new, on a new connection the newest of all, and all of it each hour on a new connection.
/// Nothing waits here but that: what was not said is read from the store when it can be.
///
/// Executor: front's thread. Lifetime: outlives every coroutine it started.
class LoggedAnchors {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        AuditLog& log;
        AnchorCarrier& carrier;
    };
    explicit LoggedAnchors(Parts parts) : parts_(parts) {}

    [[nodiscard]] bool is_set() const { return parts_.carrier.is_set(); }
    /// Says every few seconds what is new, until it is cancelled.
    async::Job keep();
    /// What is to be said now; nothing while another call does so. Errors: the store's, keeper's,
    /// the carrier's.
    async::Task<> say();

    /// What the operator has to see to; empty: nothing.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
    /// When all of it was last written; 0: not since the start.
    [[nodiscard]] UnixMs all_said_at_ms() const noexcept { return all_said_at_ms_; }

private:
    async::Task<std::int64_t> carry(AuditLog::Heads heads, bool anew);
    async::Task<AuditLog::Heads> all_heads();
    async::Task<> say_all(bool anew);
    async::Task<> say_due();
    void note(std::string trouble);

    Parts parts_;
    std::int64_t connection_ = 0;  ///< on which all was said; 0: none
    UnixMs all_said_at_ms_ = 0;
    bool is_saying_ = false;
    std::string trouble_;
};

/// Grows with each failure, up to five minutes; `chance` is any number, and spreads it.
[[nodiscard]] std::chrono::milliseconds pause_after(std::uint32_t failures, std::uint32_t chance);

}  // namespace postern::audit
