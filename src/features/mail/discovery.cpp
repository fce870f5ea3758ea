#include "features/mail/discovery.h"

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/providers.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

constexpr std::chrono::seconds k_courier_time{15};

MailHost host_of(const ProviderHost& host) {
    return {std::string(host.host), host.port, host.tls};
}

void take_provider(Discovered& found, const Provider& provider) {
    found.provider = &provider;
    if (provider.imap.port != 0) found.imap = host_of(provider.imap);
    if (provider.smtp.port != 0) found.smtp = host_of(provider.smtp);
}

void note_sign_in(Discovered& found) {
    if (found.provider == nullptr) return;
    if (found.provider->sign_in == SignIn::oauth) {
        found.notices.push_back({DiscoveryNotice::oauth_required, ""});
    }
    if (found.provider->sign_in == SignIn::bridge) {
        found.notices.push_back({DiscoveryNotice::bridge_required, ""});
    }
}

bool is_within(std::string_view host, std::string_view domain) {
    return host == domain || (host.size() > domain.size() && host.ends_with(domain) &&
                              host[host.size() - domain.size() - 1] == '.');
}

/// The first of these kinds that may be used. RFC 8314 section 4.1 prefers implicit TLS.
std::optional<MailHost> choose(const DiscoverServers::Answer& told,
                               std::initializer_list<ServerKind> kinds,
                               Discovered& found) {
    for (const auto kind : kinds) {
        const auto at = std::ranges::find(told.servers, kind, &FoundServer::kind);
        if (at == told.servers.end() || at->declined) continue;
        if (at->is_private) {
            found.notices.push_back({DiscoveryNotice::private_address, at->host.host});
            continue;
        }
        return at->host;
    }
    const auto declines = [&](ServerKind kind) {
        const auto at = std::ranges::find(told.servers, kind, &FoundServer::kind);
        return at != told.servers.end() && at->declined;
    };
    if (std::ranges::any_of(kinds, declines)) {
        found.notices.push_back({DiscoveryNotice::service_declined, ""});
    }
    return std::nullopt;
}

void note_outside(Discovered& found, std::string_view domain) {
    std::string last;
    for (const auto* host : {&found.imap, &found.smtp}) {
        if (!*host || is_within((*host)->host, domain) || (*host)->host == last) continue;
        // Known to belong to a provider that everybody may use.
        if (provider_of_host((*host)->host) != nullptr) continue;
        last = (*host)->host;
        found.notices.push_back({DiscoveryNotice::outside_domain, last});
    }
}

const Provider* provider_of_any(const std::vector<std::string>& exchangers) {
    for (const auto& exchanger : exchangers) {
        if (const auto* provider = provider_of_mx(exchanger)) return provider;
    }
    return nullptr;
}

}  // namespace

std::string_view name_of(DiscoverySource source) {
    switch (source) {
        case DiscoverySource::preset: return "preset";
        case DiscoverySource::srv: return "srv";
        case DiscoverySource::mx: return "mx";
        case DiscoverySource::none: return "none";
    }
    return "none";
}

bool Discovered::needs_confirmation() const {
    return std::ranges::any_of(notices, [](const FoundNotice& one) {
        return one.notice == DiscoveryNotice::outside_domain;
    });
}

bool Discovered::is_connectable() const {
    const bool passwords = provider == nullptr || (provider->sign_in != SignIn::oauth &&
                                                   provider->sign_in != SignIn::bridge);
    return passwords && smtp.has_value();
}

Discovered discovered_from(const codec::EmailAddress& address,
                           const DiscoverServers::Answer& told) {
    Discovered found;
    const auto domain = address.domain();
    if (const auto* preset = provider_of_domain(domain)) {
        found.source = DiscoverySource::preset;
        take_provider(found, *preset);
        note_sign_in(found);
        return found;
    }
    if (!told.is_complete) found.notices.push_back({DiscoveryNotice::dns_unreachable, ""});
    found.imap = choose(told, {ServerKind::imaps, ServerKind::imap}, found);
    found.smtp = choose(told, {ServerKind::submissions, ServerKind::submission}, found);
    if (found.imap || found.smtp) {
        found.source = DiscoverySource::srv;
        found.provider = provider_of_host(found.imap ? found.imap->host : found.smtp->host);
        note_outside(found, domain);
    } else if (const auto* hosted = provider_of_any(told.mx)) {
        found.source = DiscoverySource::mx;
        found.notices.clear();
        take_provider(found, *hosted);
    }
    note_sign_in(found);
    return found;
}

async::Task<Discovered> discover(ipc::Link* courier, codec::EmailAddress address) {
    if (provider_of_domain(address.domain()) != nullptr) {
        co_return discovered_from(address, {});
    }
    DiscoverServers ask{std::string(address.domain())};
    auto told = co_await courier->call(std::move(ask), Deadline::in(k_courier_time));
    // An internationalised domain, for one: its servers are entered by hand.
    if (!told && told.error().is(MailError::not_found)) co_return discovered_from(address, {});
    if (!told) co_return fail(std::move(told.error()));
    co_return discovered_from(address, *told);
}

}  // namespace postern::mail
