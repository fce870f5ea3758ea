#include "features/mail/watches.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/send_outcome.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/gate.h"
#include "platform/async/task.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t k_first_pause_ms = 500;
constexpr std::int64_t k_longest_pause_ms = 300'000;
/// A watch that ended sooner than this counts as one more failure in a row.
constexpr std::int64_t k_lasting_ms = 60'000;
constexpr auto k_turn_max = 1h;

/// Such a host may be back before the pause is over.
bool is_about_the_host(MailError reason) {
    return reason == MailError::connection_failed || reason == MailError::connection_lost ||
           reason == MailError::timed_out || reason == MailError::name_not_found;
}

/// Answers from then on may not have been seen; 0: there are none.
Result<UnixMs> answers_since(store::Transaction& tx,
                             WorkspaceId workspace,
                             IntegrationId integration,
                             bool is_first) {
    if (is_first) {
        POSTERN_TRY(auto first, rows::first_thread_at(tx, workspace, integration));
        return first.value_or(0);
    }
    POSTERN_TRY(const auto last, rows::load_ledger(tx, workspace, integration, 0, 1));
    return last.empty() ? 0 : last.front().at_ms;
}

enum class WatchError { only_sends };
constexpr ErrorInfo describe(WatchError) {
    return {"only_sends", "This mailbox only sends."};
}

}  // namespace

std::chrono::milliseconds watch_pause(std::int64_t failures, IntegrationId integration) {
    const auto doublings = std::min<std::int64_t>(failures, 12);
    const auto full = std::min(k_first_pause_ms << doublings, k_longest_pause_ms);
    const auto spread = integration.raw().back();
    return std::chrono::milliseconds(full / 2 + full * spread / 512);
}

std::chrono::milliseconds slow_watch_pause(std::int64_t failures) {
    constexpr std::int64_t k_doublings_max = 2;
    return 1h * (std::int64_t{1} << std::min(failures, k_doublings_max));
}

void Watches::Watched::settle() {
    for (const auto& waiter : std::exchange(waiting, {}))
        waiter->set();
}

async::Task<> Watches::start() {
    auto active = co_await parts_.mailboxes.active();
    if (!active) co_return fail(std::move(active.error()));
    for (const auto& ref : *active)
        mailbox_changed(ref.workspace, ref.id);
    co_return Result<>{};
}

void Watches::mailbox_changed(WorkspaceId workspace, IntegrationId integration) {
    auto& watched = all_[integration];
    if (!watched) {
        watched = std::make_shared<Watched>(parts_.jobs.executor());
        parts_.jobs.spawn("watch", run(workspace, integration));
        return;
    }
    watched->failures = 0;
    watched->wake.set();
}

void Watches::ended(IntegrationId integration, MailError reason) {
    const auto found = all_.find(integration);
    if (found == all_.end()) return;
    found->second->ended = reason;
    // One that has not begun is told by `ended` alone: a wake would outlast it and end the pause.
    if (std::exchange(found->second->watching, false)) found->second->wake.set();
}

void Watches::courier_restarted() {
    for (auto& [id, watched] : all_) {
        watched->watching = false;
        watched->ended = MailError::connection_lost;
        watched->wake.set();
    }
}

bool Watches::watching(IntegrationId integration) const {
    const auto found = all_.find(integration);
    return found != all_.end() && found->second->watching;
}

std::size_t Watches::count() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(), [](const auto& w) { return w.second->watching; }));
}

async::Task<> Watches::begin(WorkspaceId workspace,
                             IntegrationId integration,
                             std::shared_ptr<Watched> watched) {
    auto mailbox = co_await parts_.mailboxes.find(workspace, integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    if (!mailbox->reads_replies) co_return fail(WatchError::only_sends);
    watched->host = mailbox->imap_host;
    const auto turn = watched->waiting.empty() ? async::Gate::Turn::last : async::Gate::Turn::first;
    // Before the ticket, which is good for a short time only.
    auto pass = co_await sign_ins_.enter(watched->host, turn, Deadline::in(k_turn_max));
    if (!pass) co_return fail(std::move(pass.error()));
    auto ticket = co_await parts_.mailboxes.ticket(workspace, integration, MailVerb::read_replies);
    if (!ticket) co_return fail(std::move(ticket.error()));
    auto cursors = co_await replies_.cursors(workspace, integration);
    if (!cursors) co_return fail(std::move(cursors.error()));
    auto learned = co_await learned_.all(workspace, integration);
    if (!learned) co_return fail(std::move(learned.error()));
    const auto load = [workspace, integration](store::Transaction& tx) {
        return rows::load_probe(tx, workspace, integration);
    };
    auto probe = co_await parts_.database.read(load);
    if (!probe) co_return fail(std::move(probe.error()));
    const auto load_address = [workspace, integration](store::Transaction& tx) {
        return rows::load_reply_probe(tx, workspace, integration);
    };
    auto address = co_await parts_.database.read(load_address);
    if (!address) co_return fail(std::move(address.error()));
    const bool is_first = cursors->empty();
    const auto load_since = [workspace, integration, is_first](store::Transaction& tx) {
        return answers_since(tx, workspace, integration, is_first);
    };
    auto since = co_await parts_.database.read(load_since);
    if (!since) co_return fail(std::move(since.error()));
    Watch ask{std::move(*ticket),
              integration,
              mailbox->search_label,
              std::move(*cursors),
              std::move(*learned),
              probe->looks_by_headers,
              *since,
              address->has_value()};
    auto answer = co_await parts_.courier.call(std::move(ask), Deadline::in(90s));
    if (!answer) co_return fail(std::move(answer.error()));
    co_return co_await replies_.store_cursors(workspace, integration, std::move(answer->cursors),
                                              answer->bytes);
}

async::Task<> Watches::wait_while_watching(std::shared_ptr<Watched> watched) {
    while (watched->watching) {
        auto woken = co_await watched->wake.wait(Deadline::in(1h));
        if (!woken && woken.error().is(async::AsyncError::cancelled)) co_return woken;
    }
    co_return Result<>{};
}

async::Task<> Watches::after_failure(WorkspaceId workspace,
                                     IntegrationId integration,
                                     std::shared_ptr<Watched> watched,
                                     Error why,
                                     bool had_begun) {
    const auto reason = why.as<MailError>();
    const bool passes = reason && may_pass(*reason);
    const bool person = parts_.mailboxes.waits_for_person(why) ||
                        parts_.mailboxes.is_cut_off(why) || why.is(WatchError::only_sends) ||
                        (reason && needs_person(*reason) && !passes);
    if (reason && needs_person(*reason)) {
        (void)co_await parts_.mailboxes.report(workspace, integration, reason);
    }
    if (!person)
        log(LogLevel::info, "watch_failed", {{"integration", integration}, {"error", why}});
    watched->refused = std::move(why);
    watched->settle();
    // A host that drops connections answers sign-ins all the while.
    watched->host_fails = !had_begun && reason && is_about_the_host(*reason);
    auto pause = std::chrono::milliseconds(24h);
    if (passes) {
        pause = slow_watch_pause(watched->failures++);
    } else if (!person) {
        pause = watch_pause(watched->failures++, integration);
    }
    auto woken = co_await watched->wake.wait(Deadline::in(pause));
    watched->host_fails = false;
    if (!woken && woken.error().is(async::AsyncError::cancelled)) co_return woken;
    co_return Result<>{};
}

void Watches::host_answers(const std::string& host) {
    // They come back through the gate, a few at a time, and their pauses go on to grow.
    for (const auto& [id, other] : all_) {
        if (other->host_fails && other->host == host) other->wake.set();
    }
}

async::Job Watches::run(WorkspaceId workspace, IntegrationId integration) {
    const auto watched = all_[integration];
    Result<> waited{};
    while (waited) {
        watched->ended.reset();
        auto begun = co_await begin(workspace, integration, watched);
        if (begun && !watched->ended) {
            const auto since = parts_.clock.now_ms();
            watched->watching = true;
            watched->refused.reset();
            watched->settle();
            host_answers(watched->host);
            // What was told of its server, and has passed.
            auto mended = co_await parts_.mailboxes.report(workspace, integration, std::nullopt);
            if (!mended) log(LogLevel::warning, "mend_not_stored", {{"error", mended.error()}});
            waited = co_await wait_while_watching(watched);
            if (parts_.clock.now_ms() - since >= k_lasting_ms) watched->failures = 0;
            if (!waited || watched->ended.value_or(MailError::use_ended) == MailError::use_ended) {
                continue;
            }
        }
        const bool had_begun = begun.has_value();
        Error why =
            begun ? Error(watched->ended.value_or(MailError::use_ended)) : std::move(begun.error());
        if (why.is(MailServiceError::integration_not_found)) {
            all_.erase(integration);
            watched->refused = std::move(why);
            watched->settle();
            co_return;
        }
        waited = co_await after_failure(workspace, integration, watched, std::move(why), had_begun);
    }
}

async::Task<> Watches::until_watching(WorkspaceId workspace,
                                      IntegrationId integration,
                                      Deadline deadline) {
    if (watching(integration)) co_return Result<>{};
    mailbox_changed(workspace, integration);
    const auto watched = all_[integration];
    while (!watched->watching) {
        // A signal of its own: several may wait, and none for what was said before it came.
        const auto fresh = std::make_shared<async::Signal>(parts_.jobs.executor());
        watched->waiting.push_back(fresh);
        auto settled = co_await fresh->wait(deadline);
        if (!settled) co_return settled;
        const auto& refused = watched->refused;
        if (!watched->watching && refused) co_return fail(*refused);
    }
    co_return Result<>{};
}

}  // namespace postern::mail
