#include "platform/audit/logged_anchors.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/anchor_signing.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/audit_store.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

using namespace std::chrono_literals;

/// After the newest record: bounds what writing costs, and what a cut tail can hide.
constexpr std::chrono::milliseconds k_pause = 5s;
constexpr std::chrono::milliseconds k_pause_max = 5min;
constexpr std::chrono::milliseconds k_all_every = 1h;
constexpr std::chrono::seconds k_keeper_time{20};

class Flag {
public:
    explicit Flag(bool& flag) : flag_(flag) { flag_ = true; }
    ~Flag() { flag_ = false; }
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;

private:
    bool& flag_;
};

std::uint32_t any_number() {
    std::uint32_t number = 0;
    for (const auto byte : crypto::random_bytes(sizeof(number)))
        number = number << 8U | byte;
    return number;
}

}  // namespace

std::chrono::milliseconds pause_after(std::uint32_t failures, std::uint32_t chance) {
    constexpr std::uint32_t k_doublings_max = 6;
    const auto whole = std::min(k_pause * (1U << std::min(failures, k_doublings_max)), k_pause_max);
    // Between half of it and all of it: servers that lost one log server do not come back at once.
    const auto half = whole.count() / 2;
    return std::chrono::milliseconds(half + chance % (half + 1));
}

void LoggedAnchors::note(std::string trouble) {
    if (trouble == trouble_) return;
    if (trouble.empty()) {
        log(LogLevel::info, "audit_log_server_good");
    } else {
        log(LogLevel::error, "audit_log_server", {LogField::sanitised("trouble", trouble)});
    }
    trouble_ = std::move(trouble);
}

async::Task<AuditLog::Heads> LoggedAnchors::all_heads() {
    auto chains = co_await parts_.log.chains();
    if (!chains) co_return fail(std::move(chains.error()));
    const auto body = [chains = *chains](store::Transaction& tx) -> Result<AuditLog::Heads> {
        AuditLog::Heads heads;
        for (const auto& workspace : chains) {
            POSTERN_TRY(const auto newest, rows::newest(tx, workspace));
            if (newest) heads[workspace] = {newest->number, newest->mac};
        }
        return heads;
    };
    co_return co_await parts_.database.read(body);
}

/// The number of the connection that all of them were written to.
async::Task<std::int64_t> LoggedAnchors::carry(AuditLog::Heads heads, bool anew) {
    std::int64_t connection = 0;
    std::vector<Anchor> anchors;
    auto next = heads.begin();
    do {
        anchors.clear();
        for (; next != heads.end() && anchors.size() < k_carried_max; ++next) {
            Anchor anchor{
                next->first, next->second.number, next->second.mac, parts_.clock.now_ms(), {}};
            auto signed_one = co_await sign_anchor(&parts_.keeper, std::move(anchor),
                                                   Deadline::in(k_keeper_time));
            if (!signed_one) co_return fail(std::move(signed_one.error()));
            anchors.push_back(std::move(*signed_one));
        }
        auto carrying = parts_.carrier.carry(std::move(anchors), std::exchange(anew, false));
        auto carried = co_await std::move(carrying);
        if (!carried) co_return fail(std::move(carried.error()));
        // What was written before may be lost: the next time finds another number, too.
        if (connection != 0 && connection != *carried) co_return connection;
        connection = *carried;
    } while (next != heads.end());
    co_return connection;
}

async::Task<> LoggedAnchors::say_all(bool anew) {
    connection_ = 0;
    // The store has these, or newer ones.
    (void)parts_.log.take_heads(SecondPlace::log_server);
    auto heads = co_await all_heads();
    if (!heads) co_return fail(std::move(heads.error()));
    auto connection = co_await carry(std::move(*heads), anew);
    if (!connection) co_return fail(std::move(connection.error()));
    connection_ = *connection;
    all_said_at_ms_ = parts_.clock.now_ms();
    co_return Result<>{};
}

async::Task<> LoggedAnchors::say_due() {
    const auto since_ms = parts_.clock.now_ms() - all_said_at_ms_;
    const bool is_hourly = connection_ != 0 && (since_ms < 0 || since_ms >= k_all_every.count());
    if (connection_ == 0 || is_hourly) co_return co_await say_all(is_hourly);
    // With nothing new, too: a connection that has ended shows.
    auto heads = parts_.log.take_heads(SecondPlace::log_server);
    auto connection = co_await carry(std::move(heads), false);
    if (!connection) {
        connection_ = 0;
        co_return fail(std::move(connection.error()));
    }
    if (*connection == connection_) co_return Result<>{};
    co_return co_await say_all(false);
}

async::Task<> LoggedAnchors::say() {
    if (!is_set() || is_saying_) co_return Result<>{};
    const Flag saying(is_saying_);
    auto said = co_await say_due();
    if (!said && said.error().is(async::AsyncError::cancelled)) co_return said;
    std::string why;
    if (!said) why = std::string(said.error().code()) + " " + said.error().detail();
    while (why.ends_with(' '))
        why.pop_back();
    note(std::move(why));
    co_return said;
}

async::Job LoggedAnchors::keep() {
    if (!is_set()) co_return;
    std::uint32_t failures = 0;
    while (true) {
        const auto said = co_await say();
        failures = said ? 0 : failures + 1;
        const auto pause = said ? k_pause : pause_after(failures, any_number());
        auto waited = co_await async::wait_until(Deadline::in(pause));
        if (!waited) co_return;
    }
}

}  // namespace postern::audit
