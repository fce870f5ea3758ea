#include "features/mail/courier/courier_service.h"

#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/discovery.h"
#include "features/mail/courier/header_trouble.h"
#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/own_sender.h"
#include "features/mail/courier/search_probe.h"
#include "features/mail/courier/sender.h"
#include "features/mail/courier/sent_folder.h"
#include "features/mail/courier/verify.h"
#include "features/mail/courier/watcher.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/our_message_id.h"
#include "platform/async/deadline.h"
#include "platform/async/gate.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace postern::mail::courier {
namespace {

using std::chrono_literals::operator""ms;

constexpr std::chrono::milliseconds k_expiry_interval = 500ms;
constexpr std::size_t k_troubles_max = 10'000;
constexpr std::chrono::milliseconds k_visit_wait = 30'000ms;

/// Counts one job while it runs.
class Slot {
public:
    explicit Slot(std::size_t& count) : count_(count) { ++count_; }
    ~Slot() { --count_; }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

private:
    std::size_t& count_;
};

/// Holds a name as long as it is worked on.
template <typename Name>
class Reservation {
public:
    Reservation(std::set<Name>& names, const Name& name)
        : names_(names), at_(names.insert(name).first) {}
    ~Reservation() { names_.erase(at_); }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

private:
    std::set<Name>& names_;
    std::set<Name>::iterator at_;
};

}  // namespace

CourierService::CourierService(Parts parts, CourierOptions options)
    : parts_(parts),
      options_(std::move(options)),
      uses_(*parts.clock),
      mailboxes_(parts.group->executor(),
                 {.in_all = options_.visits_max, .of_one_key = 1, .waiting = options_.visits_max}) {
}

CourierService::~CourierService() = default;

void CourierService::serve(ipc::Router& router) {
    router.on<VerifyMailbox>([this](VerifyMailbox asked) { return verify(std::move(asked)); });
    router.on<SendMail>([this](SendMail asked) { return send(std::move(asked)); });
    router.on<SendOwnMail>([this](SendOwnMail asked) { return send_own(std::move(asked)); });
    router.on<SaveSent>([this](SaveSent asked) { return save_sent(std::move(asked)); });
    router.on<ProbeSearch>([this](ProbeSearch asked) { return probe_search(std::move(asked)); });
    router.on<SetWatch>([this](SetWatch asked) { return set_watch(std::move(asked)); });
    router.on<WatchAddresses>([this](WatchAddresses asked) { return watch_addresses(asked); });
    router.on<Watch>([this](Watch asked) { return watch(std::move(asked)); });
    router.on<StopWatch>([this](StopWatch asked) { return stop_watch(asked); });
    router.on<SearchNow>([this](SearchNow asked) { return search_now(asked); });
    router.on<FetchMail>([this](FetchMail asked) { return fetch(std::move(asked)); });
    router.on<DiscoverServers>(
        [this](DiscoverServers asked) { return discover(std::move(asked)); });
}

void CourierService::start() {
    parts_.group->spawn("close_expired", close_expired());
}

void CourierService::stop() {
    for (auto& [integration, watcher] : std::exchange(watches_, {}))
        watcher->stop();
    uses_.end_all();
}

async::Job CourierService::close_expired() {
    while (true) {
        auto waiting = async::wait_until(Deadline::in(k_expiry_interval));
        if (!co_await std::move(waiting)) co_return;
        if (const auto closed = uses_.end_expired(); closed != 0) {
            log(LogLevel::info, "uses_expired", {{"connections", closed}});
        }
    }
}

std::uint32_t CourierService::end_uses(const UseRegistry::End& end) {
    const auto closed = uses_.end(end);
    log(LogLevel::info, "uses_ended",
        {{"integration", end.integration}, {"all", end.all}, {"connections", closed}});
    return closed;
}

async::Task<CourierService::Opened> CourierService::redeem(Bytes ticket, UseFor purpose) {
    const UseRegistry::Redeeming redeeming(uses_);
    auto asking = parts_.credentials->redeem(std::move(ticket), purpose);
    auto what = co_await std::move(asking);
    if (!what) co_return fail(std::move(what.error()));
    auto use = uses_.add(redeeming, {.integration = what->integration,
                                     .by_grant = what->by_grant,
                                     .grant = what->grant,
                                     .until_ms = what->until_ms});
    if (!use) co_return fail(std::move(use.error()));
    Opened opened;
    opened.what = std::move(*what);
    opened.context = {parts_.connector, std::move(*use), options_.session};
    co_return opened;
}

async::Task<VerifyMailbox::Answer> CourierService::verify(VerifyMailbox asked) {
    if (visits_ >= options_.visits_max) co_return fail(ipc::IpcError::busy);
    const Slot slot(visits_);
    auto redeeming = redeem(std::move(asked.ticket), UseFor::verify);
    auto opened = co_await std::move(redeeming);
    if (!opened) co_return fail(std::move(opened.error()));
    auto entering = visit(&*opened);
    const auto pass = co_await std::move(entering);
    if (!pass) co_return fail(pass.error());
    MailboxVerifier verifier(std::move(opened->context), std::move(opened->what));
    auto running = verifier.run();
    co_return co_await std::move(running);
}

async::Task<SendMail::Answer> CourierService::send(SendMail asked) {
    if (sends_ >= options_.sends_max || sending_.contains(asked.message)) {
        co_return fail(ipc::IpcError::busy);
    }
    const auto until_dot = Deadline::in(options_.until_dot);
    const Slot slot(sends_);
    const Reservation reservation(sending_, asked.message);
    auto redeeming = redeem(std::exchange(asked.ticket, {}), UseFor::send);
    auto opened = co_await std::move(redeeming);
    if (!opened) co_return fail(std::move(opened.error()));
    Sender sender(std::move(opened->context), *parts_.front, std::move(opened->what),
                  std::move(asked), until_dot);
    auto running = sender.run();
    co_return co_await std::move(running);
}

async::Task<SendOwnMail::Answer> CourierService::send_own(SendOwnMail asked) {
    const auto account = options_.own_account;
    if (!account) co_return fail(MailError::not_found, "no account of our own");
    if (sends_ >= options_.sends_max) co_return fail(ipc::IpcError::busy);
    const Slot slot(sends_);
    const UseRegistry::Redeeming redeeming(uses_);
    UseRegistry::Terms terms;
    terms.until_ms = std::numeric_limits<UnixMs>::max();
    auto use = uses_.add(redeeming, terms);
    if (!use) co_return fail(std::move(use.error()));
    OwnSender sender({parts_.connector, std::move(*use), options_.session}, *account,
                     std::move(asked));
    auto running = sender.run();
    co_return co_await std::move(running);
}

async::Task<SaveSent::Answer> CourierService::save_sent(SaveSent asked) {
    if (visits_ >= options_.visits_max || saving_.contains(asked.message_id)) {
        co_return fail(ipc::IpcError::busy);
    }
    const Slot slot(visits_);
    const Reservation reservation(saving_, asked.message_id);
    auto redeeming = redeem(std::exchange(asked.ticket, {}), UseFor::send);
    auto opened = co_await std::move(redeeming);
    if (!opened) co_return fail(std::move(opened.error()));
    const auto use = opened->context.use;
    auto entering = visit(&*opened);
    const auto pass = co_await std::move(entering);
    if (!pass) co_return fail(pass.error());
    auto opening = open_imap(std::move(opened->context), std::move(opened->what));
    const auto session = co_await std::move(opening);
    if (!session) co_return fail(session.error());
    SentFolder sent(**session);
    auto saving = sent.save(std::move(asked));
    auto saved = co_await std::move(saving);
    if (use->ended()) co_return fail(MailError::use_ended);
    co_return saved;
}

async::Task<ProbeSearch::Answer> CourierService::probe_search(ProbeSearch asked) {
    if (visits_ >= options_.visits_max) co_return fail(ipc::IpcError::busy);
    // As for a watch: what is searched for must be a label.
    if (!codec::IdLabel::parse(asked.search_label) || !codec::IdLabel::parse(asked.other_label)) {
        co_return fail(MailError::protocol_violation, "search label");
    }
    const Slot slot(visits_);
    auto redeeming = redeem(std::exchange(asked.ticket, {}), UseFor::read_replies);
    auto opened = co_await std::move(redeeming);
    if (!opened) co_return fail(std::move(opened.error()));
    const auto use = opened->context.use;
    auto entering = visit(&*opened);
    const auto pass = co_await std::move(entering);
    if (!pass) co_return fail(pass.error());
    auto opening = open_imap(std::move(opened->context), std::move(opened->what));
    const auto session = co_await std::move(opening);
    if (!session) co_return fail(session.error());
    SearchProber prober(**session);
    auto probing = prober.run(std::move(asked));
    auto probed = co_await std::move(probing);
    if (use->ended()) co_return fail(MailError::use_ended);
    co_return probed;
}

async::Task<ipc::Nothing> CourierService::set_watch(SetWatch asked) {
    if (const auto watcher = find(asked.integration)) watcher->set(asked);
    co_return ipc::Nothing{};
}

async::Task<ipc::Nothing> CourierService::watch_addresses(WatchAddresses asked) {
    if (const auto watcher = find(asked.integration)) watcher->watch_addresses();
    co_return ipc::Nothing{};
}

async::Task<Watch::Answer> CourierService::watch(Watch asked) {
    const auto integration = asked.integration;
    // What is searched for must be a label: a shorter text would find other people's mail.
    if (!codec::IdLabel::parse(asked.search_label)) {
        co_return fail(MailError::protocol_violation, "search label");
    }
    auto redeeming = redeem(std::exchange(asked.ticket, {}), UseFor::read_replies);
    auto opened = co_await std::move(redeeming);
    if (!opened) co_return fail(std::move(opened.error()));
    if (opened->what.integration != integration) co_return fail(MailError::ticket_refused);
    if (const auto before = find(integration)) {
        before->stop();
        forget(integration, before);
    }
    if (watches_.size() >= options_.watches_max) co_return fail(ipc::IpcError::busy);
    const auto watcher =
        std::make_shared<Watcher>(Watcher::Parts{.context = std::move(opened->context),
                                                 .front = parts_.front,
                                                 .group = parts_.group,
                                                 .options = options_.watch,
                                                 .trouble = trouble_of(integration)},
                                  std::move(asked));
    watches_[integration] = watcher;
    auto beginning = watcher->begin(std::move(opened->what));
    auto answer = co_await std::move(beginning);
    if (answer) {
        parts_.group->spawn("watch", run_watch(watcher, integration));
    } else {
        forget(integration, watcher);
    }
    co_return answer;
}

async::Job CourierService::run_watch(WatcherPtr watcher, IntegrationId integration) {
    // A spawned job begins within spawn(): front is to have the answer to Watch before the first
    // FolderSearched.
    auto yielding = async::wait_until(Deadline::in(0ms));
    (void)co_await std::move(yielding);
    auto running = watcher->run();
    co_await std::move(running);
    forget(integration, watcher);
}

async::Task<ipc::Nothing> CourierService::stop_watch(StopWatch asked) {
    if (const auto watcher = find(asked.integration)) {
        watcher->stop();
        forget(asked.integration, watcher);
    }
    co_return ipc::Nothing{};
}

async::Task<SearchNow::Answer> CourierService::search_now(SearchNow asked) {
    const auto watcher = find(asked.integration);
    if (!watcher) co_return fail(MailError::connection_lost, "no watch");
    auto searching = watcher->search_now();
    co_return co_await std::move(searching);
}

async::Task<FetchMail::Answer> CourierService::fetch(FetchMail asked) {
    const auto watcher = find(asked.integration);
    if (!watcher) co_return fail(MailError::connection_lost, "no watch");
    auto fetching = watcher->fetch(std::move(asked));
    co_return co_await std::move(fetching);
}

async::Task<async::Gate::Pass> CourierService::visit(const Opened* opened) {
    const auto use = opened->context.use;
    auto entering = mailboxes_.enter(opened->what.integration.text(), async::Gate::Turn::last,
                                     Deadline::in(k_visit_wait));
    auto pass = co_await std::move(entering);
    if (!pass) co_return fail(ipc::IpcError::busy);
    if (use->ended()) co_return fail(MailError::use_ended);
    co_return std::move(*pass);
}

async::Task<DiscoverServers::Answer> CourierService::discover(DiscoverServers asked) {
    if (discoveries_ >= options_.discoveries_max) co_return fail(ipc::IpcError::busy);
    const Slot slot(discoveries_);
    auto discovering = discover_servers(parts_.lookups, std::move(asked.domain));
    co_return co_await std::move(discovering);
}

CourierService::WatcherPtr CourierService::find(const IntegrationId& integration) const {
    const auto at = watches_.find(integration);
    return at == watches_.end() ? nullptr : at->second;
}

void CourierService::forget(const IntegrationId& integration, const WatcherPtr& watcher) {
    const auto at = watches_.find(integration);
    if (at != watches_.end() && at->second == watcher) watches_.erase(at);
}

std::shared_ptr<HeaderTrouble> CourierService::trouble_of(const IntegrationId& integration) {
    if (troubles_.size() >= k_troubles_max) troubles_.clear();
    auto& trouble = troubles_[integration];
    if (!trouble) trouble = std::make_shared<HeaderTrouble>();
    return trouble;
}

}  // namespace postern::mail::courier
