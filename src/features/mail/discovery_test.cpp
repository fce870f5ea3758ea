#include "features/mail/discovery.h"

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/providers.h"
#include "foundation/codec/mail/address.h"

#include <gtest/gtest.h>
#include <algorithm>
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
    EXPECT_EQ(provider_of_mx("evilgoogle.com"), nullptr);
    EXPECT_EQ(provider_of_mx("google.com.evil.example"), nullptr);
    EXPECT_EQ(provider_of_mx("outlook.com"), nullptr);
    EXPECT_EQ(provider_of_mx(""), nullptr);
    EXPECT_EQ(provider_of_host(""), nullptr);
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
