#pragma once

#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/discovery.h"
#include "features/mail/courier/front.h"
#include "features/mail/courier/own_sender.h"
#include "features/mail/courier/session_context.h"
#include "features/mail/courier/uses.h"
#include "features/mail/courier/watcher.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "platform/async/gate.h"
#include "platform/async/task_group.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace postern::ipc {
class Router;
}

namespace postern::mail::courier {

struct CourierOptions {
    SessionOptions session;
    WatchOptions watch;
    std::size_t watches_max = 5000;
    std::size_t sends_max = 40;
    std::chrono::milliseconds until_dot{k_until_dot_max};  ///< from SendMail to its BeforeFinalDot
    std::size_t visits_max = 60;  ///< VerifyMailbox, SaveSent, ProbeSearch at one time
    std::size_t discoveries_max = 10;
    std::shared_ptr<const OwnAccount> own_account;  ///< null: the server sends no mail of its own
};

/// The courier process: serves front's mail methods with credentials that keeper hands out for
/// tickets, and closes what was opened when keeper says so.
///
/// Lifecycle: serve() and start() once, then front's peer may run; stop() when front is gone.
/// Lifetime: the parts outlive it. Executor: the group's own thread.
class CourierService {
public:
    struct Parts {
        CredentialSource* credentials = nullptr;
        MailConnector* connector = nullptr;
        NameLookups* lookups = nullptr;
        Front* front = nullptr;
        const Clock* clock = nullptr;
        async::TaskGroup* group = nullptr;
    };
    CourierService(Parts parts, CourierOptions options);
    ~CourierService();
    CourierService(const CourierService&) = delete;
    CourierService& operator=(const CourierService&) = delete;

    /// Lifetime: the service outlives the router.
    void serve(ipc::Router& router);
    /// Watches the deadlines of what is open.
    void start();
    /// Ends every watch, without a word to front, and every other use.
    void stop();

    /// What keeper's EndUses asks for: closes at once all uses of an integration, else only those
    /// of its lease, or of `grant` where that is set. Returns how many connections were closed.
    std::uint32_t end_uses(const UseRegistry::End& end);

    async::Task<VerifyMailbox::Answer> verify(VerifyMailbox asked);
    async::Task<SendMail::Answer> send(SendMail asked);
    /// Errors: not_found where there is no account of our own.
    async::Task<SendOwnMail::Answer> send_own(SendOwnMail asked);
    async::Task<SaveSent::Answer> save_sent(SaveSent asked);
    async::Task<Watch::Answer> watch(Watch asked);
    async::Task<ProbeSearch::Answer> probe_search(ProbeSearch asked);
    async::Task<ipc::Nothing> set_watch(SetWatch asked);
    async::Task<ipc::Nothing> watch_addresses(WatchAddresses asked);
    async::Task<ipc::Nothing> stop_watch(StopWatch asked);
    async::Task<SearchNow::Answer> search_now(SearchNow asked);
    async::Task<FetchMail::Answer> fetch(FetchMail asked);
    async::Task<DiscoverServers::Answer> discover(DiscoverServers asked);

private:
    struct Opened {
        OpenedUse what;
        SessionContext context;
    };
    using WatcherPtr = std::shared_ptr<Watcher>;

    async::Task<Opened> redeem(Bytes ticket, UseFor purpose);
    /// Waits until no other visit is at this mailbox. Errors: ipc::IpcError::busy, or
    /// MailError::use_ended.
    async::Task<async::Gate::Pass> visit(const Opened* opened);
    async::Job run_watch(WatcherPtr watcher, IntegrationId integration);
    async::Job close_expired();
    [[nodiscard]] WatcherPtr find(const IntegrationId& integration) const;
    void forget(const IntegrationId& integration, const WatcherPtr& watcher);
    std::shared_ptr<HeaderTrouble> trouble_of(const IntegrationId& integration);

    Parts parts_;
    CourierOptions options_;
    UseRegistry uses_;
    std::map<IntegrationId, WatcherPtr> watches_;
    std::map<IntegrationId, std::shared_ptr<HeaderTrouble>> troubles_;
    std::set<std::string> saving_;  ///< Message-IDs: two at one time would make two copies
    std::set<MessageId> sending_;   ///< two at one time could be delivered twice
    std::size_t sends_ = 0;
    std::size_t visits_ = 0;
    std::size_t discoveries_ = 0;
    async::Gate mailboxes_;  ///< one visit beside the watch: two connections at most
};

}  // namespace postern::mail::courier
