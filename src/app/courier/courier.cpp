#include "app/courier/courier.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/courier/fetches.h"
#include "app/courier/keeper_credentials.h"
#include "app/fence/fence.h"
#include "app/fence/replaced_files.h"
#include "features/mail/courier/courier_service.h"
#include "features/mail/courier/front.h"
#include "features/mail/courier/net_link.h"
#include "features/mail/courier/net_lookups.h"
#include "features/mail/courier/own_sender.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/ipc/peer.h"
#include "platform/keys/seals.h"
#include "platform/net/connector.h"
#include "platform/net/dns/dns_client.h"
#include "platform/net/ip_address.h"
#include "platform/net/resolver.h"
#include "platform/net/tls_context.h"
#include "platform/os/fd.h"
#include "platform/os/process.h"
#include "platform/syslog/log_server.h"
#include "platform/syslog/syslog_message.h"
#include "platform/syslog/syslog_protocol.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace postern::app::courier {
namespace {

constexpr std::size_t k_resolver_threads = 2;
constexpr std::size_t k_resolver_queue_max = 200;
constexpr std::chrono::minutes k_resolver_looked_at_every{1};
/// For each mailbox its connection and, at times, a visit beside it and a mail's memory file.
constexpr std::size_t k_descriptors_wanted = 20'000;
constexpr std::size_t k_descriptors_least = 4096;

namespace mail = postern::mail::courier;

Result<net::EgressPolicy> egress_policy(const config::Config& config) {
    net::EgressPolicy policy;
    for (const auto& text : config.allow_private) {
        const auto block = net::Cidr::parse(text);
        if (!block) return fail(control::ControlError::out_of_order, "egress.allow_private");
        policy.allow_private.push_back(*block);
    }
    return policy;
}

mail::CourierOptions options_of(const config::Config& config) {
    mail::CourierOptions options;
    options.session.ehlo_name = config.mail.ehlo_name;
    options.watch.poll_interval = std::chrono::seconds(config.mail.poll_interval_s);
    return options;
}

std::shared_ptr<const mail::OwnAccount> own_account(child::Runtime& runtime) {
    const auto& smtp = runtime.config().smtp;
    if (!smtp) return nullptr;
    auto account = std::make_shared<mail::OwnAccount>();
    const auto tls =
        smtp->tls == "implicit" ? postern::mail::TlsUse::implicit : postern::mail::TlsUse::starttls;
    account->host = {smtp->host, smtp->port, tls};
    account->username = smtp->username;
    account->password = runtime.take_own_mail_password();
    account->ca_pem = runtime.own_mail_ca();
    account->from = smtp->from;
    return account;
}

net::DnsClient dns_client(const config::Config& config) {
    net::DnsClient::Options options;
    for (const auto& server : config.name_servers) {
        const auto address = net::IpAddress::parse(server.address);
        if (address) options.servers.push_back({*address, server.port});
    }
    if (options.servers.empty()) options.servers = net::system_name_servers();
    return net::DnsClient(std::move(options));
}

/// Nothing where no log server is named.
std::optional<syslog::LogServer::Options> log_server_options(child::Runtime& runtime) {
    const auto& named = runtime.config().audit.anchor_syslog;
    if (!named) return std::nullopt;
    auto files = runtime.take_log_server_files();
    syslog::LogServer::Options options;
    options.host = named->host;
    options.port = named->port;
    options.ca_pem = std::move(files.ca);
    options.certificate_pem = std::move(files.certificate);
    options.key_pem = std::move(files.key);
    options.host_name = syslog::host_name_of(runtime.config().public_url);
    return options;
}

/// The way out and the two ways in, in the order in which they depend on one another.
class Courier {
public:
    Courier(child::Runtime& runtime, net::EgressPolicy policy, const net::TlsContext& trust)
        : runtime_(runtime),
          pool_({.threads = k_resolver_threads, .queue_max = k_resolver_queue_max}),
          resolver_(pool_),
          network_(resolver_, std::move(policy), trust),
          connector_(network_),
          lookups_(dns_client(runtime.config()), network_),
          keeper_(runtime.tasks(), keeper_router_),
          credentials_(keeper_),
          own_account_(own_account(runtime)),
          fetches_(network_, keeper_) {
        if (auto options = log_server_options(runtime)) {
            log_server_.emplace(network_, runtime.tasks(), trust, std::move(*options));
            front_router_.on<syslog::SendSyslog>(
                [this](syslog::SendSyslog asked) { return log_server_->send(std::move(asked)); });
        }
        keeper_router_.on<keys::EndUses>([this](keys::EndUses asked) { return end_uses(asked); });
    }

    void attach_keeper(os::Fd socket) { keeper_.attach(std::move(socket)); }

    void attach_front(os::Fd socket) {
        if (front_peer_) return;
        front_peer_ = std::make_shared<ipc::Peer>(runtime_.executor(), std::move(socket),
                                                  front_router_.handler());
        front_.emplace(*front_peer_);
        auto options = options_of(runtime_.config());
        options.own_account = own_account_;
        service_.emplace(mail::CourierService::Parts{.credentials = &credentials_,
                                                     .connector = &connector_,
                                                     .lookups = &lookups_,
                                                     .front = &*front_,
                                                     .clock = &runtime_.clock(),
                                                     .group = &runtime_.tasks()},
                         std::move(options));
        service_->serve(front_router_);
        fetches_.serve(front_router_);
        service_->start();
        runtime_.tasks().spawn("courier_front", serve(front_peer_));
    }

    void stop() {
        if (service_) service_->stop();
    }

private:
    static async::Job serve(std::shared_ptr<ipc::Peer> peer) { co_await peer->run(); }

    async::Task<keys::EndUses::Answer> end_uses(keys::EndUses asked) {
        keys::EndUses::Answer answer;
        if (service_) {
            answer.connections = service_->end_uses(
                {.integration = asked.integration, .all = asked.all, .grant = asked.grant});
        }
        co_return answer;
    }

    child::Runtime& runtime_;
    async::BlockingPool pool_;
    net::SystemResolver resolver_;
    net::Connector network_;
    mail::NetMailConnector connector_;
    mail::NetLookups lookups_;
    ipc::Router keeper_router_;
    ipc::Link keeper_;
    KeeperCredentials credentials_;
    std::shared_ptr<const mail::OwnAccount> own_account_;
    Fetches fetches_;
    std::optional<syslog::LogServer> log_server_;
    ipc::Router front_router_;
    std::shared_ptr<ipc::Peer> front_peer_;
    std::optional<mail::FrontOverIpc> front_;
    std::optional<mail::CourierService> service_;
};

/// The resolver cannot read a file that was put in the place of one that the fence names. The
/// runtime outlives every coroutine of the process.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
async::Job look_after_resolver(child::Runtime& runtime) {
    const fence::ReplacedFiles files(fence::resolver_files());
    while (!files.any()) {
        auto waited = co_await async::wait_until(Deadline::in(k_resolver_looked_at_every));
        if (!waited) co_return;
    }
    log(LogLevel::info, "resolver_files_replaced");
    runtime.ask_to_stop();
}

}  // namespace

// The runtime outlives every coroutine of the process.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
async::Task<> run(child::Runtime& runtime) {
    const auto descriptors = os::allow_descriptors(k_descriptors_wanted);
    if (descriptors < k_descriptors_least) {
        log(LogLevel::warning, "few_descriptors", {{"limit", descriptors}});
    }
    auto policy = egress_policy(runtime.config());
    if (!policy) co_return fail(std::move(policy.error()));
    auto trust = net::TlsContext::client();
    if (!trust) co_return fail(std::move(trust.error()));
    Courier courier(runtime, std::move(*policy), *trust);
    runtime.on_link(control::Partner::keeper,
                    [&](os::Fd socket) { courier.attach_keeper(std::move(socket)); });
    runtime.on_link(control::Partner::front,
                    [&](os::Fd socket) { courier.attach_front(std::move(socket)); });
    runtime.tasks().spawn("resolver_files", look_after_resolver(runtime));
    runtime.ready({});
    co_await runtime.stop_requested();
    courier.stop();
    runtime.tasks().cancel();
    co_await runtime.tasks().join();
    co_return Result<>{};
}

}  // namespace postern::app::courier
