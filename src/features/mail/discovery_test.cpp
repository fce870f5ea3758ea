#include "features/mail/discovery.h"

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/providers.h"
#include "foundation/codec/mail/address.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

Discovered discover_as(const std::string& address, const DiscoverServers::Answer& told = {}) {
    return discovered_from(codec::EmailAddress::parse(address).value(), told);
}
FoundServer server(ServerKind kind, const std::string& host, std::uint16_t port) {
    const bool implicit = kind == ServerKind::imaps || kind == ServerKind::submissions;
    return {kind, {host, port, implicit ? TlsUse::implicit : TlsUse::starttls}, false, false};
}
FoundServer declined(ServerKind kind) {
    return {kind, {}, true, false};
}
/// "srv mail.brand.example:993 implicit, smtp.brand.example:587 starttls; outside_domain host"
std::string seen(const Discovered& found) {
    std::string out(name_of(found.source));
    for (const auto* host : {&found.imap, &found.smtp}) {
        out += host == &found.imap ? " " : ", ";
        if (!*host) continue;
        out += (*host)->host + ':' + std::to_string((*host)->port);
        out += (*host)->tls == TlsUse::implicit ? " implicit" : " starttls";
    }
    for (const auto& one : found.notices) {
        out += "; " + std::string(describe(one.notice).code.view());
        if (!one.host.empty()) out += ' ' + one.host;
    }
    return out;
}

TEST(Providers, are_whole) {
    std::set<std::string_view> ids;
    std::set<std::string_view> domains;
    for (const auto& provider : providers()) {
        SCOPED_TRACE(provider.id);
        EXPECT_TRUE(ids.insert(provider.id).second);
        for (const auto domain : provider.domains) {
            EXPECT_TRUE(domains.insert(domain).second) << domain;
            EXPECT_EQ(provider_of_domain(domain), &provider) << domain;
            EXPECT_TRUE(std::ranges::none_of(domain, [](char c) { return c >= 'A' && c <= 'Z'; }));
        }
        EXPECT_TRUE(provider.help_url.starts_with("https://"));
        EXPECT_EQ(provider.imap.port == 0, provider.sign_in == SignIn::bridge);
        EXPECT_EQ(provider.smtp.port == 0, provider.sign_in == SignIn::bridge);
        if (provider.imap.port != 0) {
            EXPECT_EQ(provider.imap.port, provider.imap.tls == TlsUse::implicit ? 993 : 143);
            EXPECT_EQ(provider.smtp.port, provider.smtp.tls == TlsUse::implicit ? 465 : 587);
        }
        EXPECT_TRUE(provider.sign_in == SignIn::password || !provider.steps.empty());
    }
    EXPECT_GE(ids.size(), 20U);
}

TEST(Providers, mail_exchangers_are_matched_by_whole_labels) {
    EXPECT_EQ(provider_of_mx("aspmx.l.google.com")->id, "gmail");
    EXPECT_EQ(provider_of_mx("brand-example.mail.protection.outlook.com")->id, "microsoft365");
    EXPECT_EQ(provider_of_mx("eur.olc.protection.outlook.com")->id, "outlook");
    EXPECT_EQ(provider_of_mx("in1-smtp.messagingengine.com")->id, "fastmail");
    EXPECT_EQ(provider_of_mx("brand-example.b-v1.mx.microsoft")->id, "microsoft365");
    EXPECT_EQ(provider_of_mx("mx.microsoft.com"), nullptr);
    EXPECT_EQ(provider_of_mx("evilgoogle.com"), nullptr);
    EXPECT_EQ(provider_of_mx("google.com.evil.example"), nullptr);
    EXPECT_EQ(provider_of_mx("outlook.com"), nullptr);
    EXPECT_EQ(provider_of_mx(""), nullptr);
    EXPECT_EQ(provider_of_host(""), nullptr);
}

/// Whom an organisation's mail exchanger names, and the IMAP and SMTP hosts of its people.
TEST(Providers, hosted_domains_have_the_servers_for_organisations) {
    const std::array<std::string_view, 4> cases[] = {
        {"mx.zoho.com", "zoho_pro", "imappro.zoho.com", "smtppro.zoho.com"},
        {"mx2.zoho.eu", "zoho_pro_eu", "imappro.zoho.eu", "smtppro.zoho.eu"},
        {"mx.zoho.in", "zoho_pro_in", "imappro.zoho.in", "smtppro.zoho.in"},
        {"mx.zoho.com.au", "zoho_pro_au", "imappro.zoho.com.au", "smtppro.zoho.com.au"},
        {"mx1.titan.email", "titan", "imap.titan.email", "smtp.titan.email"},
        {"mx1.hostinger.com", "hostinger", "imap.hostinger.com", "smtp.hostinger.com"},
        {"mx2.privateemail.com", "privateemail", "mail.privateemail.com", "mail.privateemail.com"},
        {"mx1.emailsrvr.com", "rackspace", "secure.emailsrvr.com", "secure.emailsrvr.com"},
        {"aspmx1.migadu.com", "migadu", "imap.migadu.com", "smtp.migadu.com"},
    };
    for (const auto& [exchanger, id, imap, smtp] : cases) {
        SCOPED_TRACE(exchanger);
        const auto* provider = provider_of_mx(exchanger);
        ASSERT_NE(provider, nullptr);
        EXPECT_EQ(provider->id, id);
        EXPECT_EQ(provider->imap.host, imap);
        EXPECT_EQ(provider->smtp.host, smtp);
        EXPECT_EQ(provider->imap.port, 993);
        EXPECT_EQ(provider->smtp.port, 465);
    }
}

TEST(Providers, personal_addresses_have_their_own_servers) {
    const std::array<std::string_view, 3> cases[] = {
        {"zoho.com", "imap.zoho.com", "smtp.zoho.com"},
        {"zohomail.eu", "imap.zoho.eu", "smtp.zoho.eu"},
        {"zohomail.in", "imap.zoho.in", "smtp.zoho.in"},
        {"gmx.ca", "imap.gmx.com", "mail.gmx.com"},
        {"gmx.li", "imap.gmx.com", "mail.gmx.com"},
        {"ik.me", "mail.infomaniak.com", "mail.infomaniak.com"},
        {"usa.com", "imap.mail.com", "smtp.mail.com"},
        {"posteo.net", "posteo.de", "posteo.de"},
        {"ya.ru", "imap.yandex.com", "smtp.yandex.com"},
    };
    for (const auto& [domain, imap, smtp] : cases) {
        SCOPED_TRACE(domain);
        const auto* provider = provider_of_domain(domain);
        ASSERT_NE(provider, nullptr);
        EXPECT_EQ(provider->imap.host, imap);
        EXPECT_EQ(provider->smtp.host, smtp);
    }
    // The exchangers of these serve other domains of the same company, too.
    for (const auto exchanger : {"mx00.mail.com", "mx00.gmx.com", "mta-gw.infomaniak.ch"})
        EXPECT_EQ(provider_of_mx(exchanger), nullptr) << exchanger;
}

TEST(Providers, what_a_host_cannot_tell_is_told_in_words) {
    const auto tells = [](std::string_view domain_or_mx, std::string_view words) {
        const auto* provider = provider_of_domain(domain_or_mx);
        if (provider == nullptr) provider = provider_of_mx(domain_or_mx);
        return std::ranges::any_of(provider->steps, [words](std::string_view step) {
            return step.find(words) != step.npos;
        });
    };
    EXPECT_TRUE(tells("mx1.mail.ovh.net", "pro?.mail.ovh.net"));
    EXPECT_TRUE(tells("mx1.mail.ovh.net", "ex?.mail.ovh.net"));
    EXPECT_TRUE(tells("icloud.com", "domain of your own"));
    EXPECT_TRUE(tells("web.de", "before the @"));
    EXPECT_TRUE(tells("mail.com", "Premium"));
}

TEST(Discovery, preset_needs_no_looking_up) {
    EXPECT_EQ(seen(discover_as("maya@gmail.com")),
              "preset imap.gmail.com:993 implicit, smtp.gmail.com:587 starttls");
    EXPECT_EQ(seen(discover_as("maya@GMX.de")),
              "preset imap.gmx.net:993 implicit, mail.gmx.net:587 starttls");
    EXPECT_TRUE(discover_as("maya@gmail.com").is_connectable());
}

TEST(Discovery, providers_without_passwords_say_so) {
    const auto outlook = discover_as("maya@outlook.com");
    EXPECT_TRUE(seen(outlook).ends_with("; oauth_required"));
    EXPECT_FALSE(outlook.is_connectable());
    const auto proton = discover_as("maya@proton.me");
    EXPECT_EQ(seen(proton), "preset , ; bridge_required");
    EXPECT_FALSE(proton.is_connectable());
}

TEST(Discovery,
     servers_that_the_domain_names_are_taken_with_tls_from_the_first_byte_before_starttls) {
    DiscoverServers::Answer told;
    told.servers = {server(ServerKind::imap, "mail.brand.example", 143),
                    server(ServerKind::imaps, "mail.brand.example", 993),
                    server(ServerKind::submission, "mail.brand.example", 587)};
    EXPECT_EQ(seen(discover_as("maya@brand.example", told)),
              "srv mail.brand.example:993 implicit, mail.brand.example:587 starttls");
    EXPECT_FALSE(discover_as("maya@brand.example", told).needs_confirmation());
    told.servers.push_back(server(ServerKind::submissions, "mail.brand.example", 465));
    EXPECT_EQ(seen(discover_as("maya@brand.example", told)),
              "srv mail.brand.example:993 implicit, mail.brand.example:465 implicit");
}

TEST(Discovery, servers_outside_the_domain_want_a_confirmation) {
    DiscoverServers::Answer told;
    told.servers = {server(ServerKind::imaps, "imap.host.example", 993),
                    server(ServerKind::submissions, "smtp.brand.example.evil.example", 465)};
    const auto found = discover_as("maya@brand.example", told);
    EXPECT_TRUE(found.needs_confirmation());
    EXPECT_TRUE(
        seen(found).ends_with("; outside_domain imap.host.example; outside_domain "
                              "smtp.brand.example.evil.example"));
    told.servers = {server(ServerKind::imaps, "xbrand.example", 993)};
    EXPECT_TRUE(discover_as("maya@brand.example", told).needs_confirmation());
    told.servers = {server(ServerKind::imaps, "brand.example", 993)};
    EXPECT_FALSE(discover_as("maya@brand.example", told).needs_confirmation());
}

TEST(Discovery, hosts_of_a_known_provider_bring_its_steps_and_need_no_confirmation) {
    DiscoverServers::Answer told;
    told.servers = {server(ServerKind::imaps, "imap.fastmail.com", 993),
                    server(ServerKind::submissions, "smtp.fastmail.com", 465)};
    const auto found = discover_as("maya@brand.example", told);
    EXPECT_EQ(found.provider->id, "fastmail");
    EXPECT_FALSE(found.needs_confirmation());
    told.servers = {server(ServerKind::imaps, "outlook.office365.com", 993)};
    EXPECT_TRUE(seen(discover_as("maya@brand.example", told)).ends_with("; oauth_required"));
}

TEST(Discovery, hosted_domain_is_recognised_by_its_mail_exchanger) {
    DiscoverServers::Answer told;
    told.mx = {"unknown.example", "aspmx.l.google.com"};
    EXPECT_EQ(seen(discover_as("maya@brand.example", told)),
              "mx imap.gmail.com:993 implicit, smtp.gmail.com:587 starttls");
    told.mx = {"brand-example.mail.protection.outlook.com"};
    EXPECT_TRUE(seen(discover_as("maya@brand.example", told)).ends_with("; oauth_required"));
    // What the domain says of itself goes before what its exchanger lets one think.
    told.servers = {server(ServerKind::imaps, "mail.brand.example", 993),
                    server(ServerKind::submissions, "mail.brand.example", 465)};
    EXPECT_EQ(seen(discover_as("maya@brand.example", told)),
              "srv mail.brand.example:993 implicit, mail.brand.example:465 implicit");
}

TEST(Discovery, private_declined_and_unanswered_are_told_and_not_proposed) {
    DiscoverServers::Answer told;
    told.servers = {server(ServerKind::imaps, "inside.brand.example", 993),
                    declined(ServerKind::submission)};
    told.servers[0].is_private = true;
    EXPECT_EQ(seen(discover_as("maya@brand.example", told)),
              "none , ; private_address inside.brand.example; service_declined");
    told.servers.insert(told.servers.begin() + 1,
                        server(ServerKind::imap, "mail.brand.example", 143));
    EXPECT_EQ(seen(discover_as("maya@brand.example", told)),
              "srv mail.brand.example:143 starttls, ; private_address inside.brand.example; "
              "service_declined");
    EXPECT_FALSE(discover_as("maya@brand.example", told).is_connectable());
    DiscoverServers::Answer silent;
    silent.is_complete = false;
    EXPECT_EQ(seen(discover_as("maya@brand.example", silent)), "none , ; dns_unreachable");
    EXPECT_EQ(seen(discover_as("maya@brand.example")), "none , ");
}

}  // namespace
}  // namespace postern::mail
