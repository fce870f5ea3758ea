#include "features/mail/courier/discovery.h"

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/message.h"
#include "foundation/codec/dns/packet_test.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"
#include "platform/net/test_loop.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

using dns::test::domain;

/// Answers from tables, and remembers what it was asked.
class PlayedLookups final : public NameLookups {
public:
    std::map<std::string, dns::Answer> answers;
    std::set<std::string> silent;
    std::set<std::string> private_hosts;
    std::vector<std::string> asked;
    std::vector<std::string> judged;

    async::Task<dns::Answer> ask(dns::Question question, Deadline) override {
        const auto name = question.name.text();
        asked.push_back(name);
        if (silent.contains(name)) co_return fail(net::NetError::timed_out);
        auto found = answers.find(name);
        co_return found == answers.end() ? dns::Answer{} : found->second;
    }
    async::Task<> judge(std::string host, Deadline) override {
        judged.push_back(host);
        if (private_hosts.contains(host)) co_return fail(net::NetError::refused_private_address);
        co_return Result<>{};
    }
};

class DiscoveryTest : public ::testing::Test {
protected:
    Result<DiscoverServers::Answer> discover(const std::string& of = "brand.example") {
        return loop.run(discover_servers(&lookups, of));
    }
    void srv(const std::string& service, std::vector<dns::SrvRecord> records) {
        lookups.answers[service + ".brand.example"].srv = std::move(records);
    }

    net::test::Loop loop;
    PlayedLookups lookups;
};

TEST_F(DiscoveryTest, every_service_is_asked_for_and_only_the_domain_is_told) {
    const auto found = discover();
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->servers.empty() && found->mx.empty() && found->is_complete);
    EXPECT_EQ(lookups.asked,
              (std::vector<std::string>{"_imaps._tcp.brand.example", "_imap._tcp.brand.example",
                                        "_submissions._tcp.brand.example",
                                        "_submission._tcp.brand.example", "brand.example"}));
}

TEST_F(DiscoveryTest, preferred_server_of_each_kind_is_told) {
    srv("_imaps._tcp", {{10, 0, 993, domain("later.brand.example")},
                        {0, 1, 993, domain("light.brand.example")},
                        {0, 9, 1993, domain("mail.brand.example")}});
    srv("_submission._tcp", {{0, 0, 587, domain("smtp.brand.example")}});
    lookups.answers["brand.example"].mx = {{20, domain("b.mx.example")},
                                           {10, domain("a.mx.example")}};
    const auto found = discover();
    ASSERT_TRUE(found);
    ASSERT_EQ(found->servers.size(), 2U);
    EXPECT_EQ(found->servers[0].kind, ServerKind::imaps);
    EXPECT_EQ(found->servers[0].host.host, "mail.brand.example");
    EXPECT_EQ(found->servers[0].host.port, 1993);
    EXPECT_EQ(found->servers[0].host.tls, TlsUse::implicit);
    EXPECT_EQ(found->servers[1].kind, ServerKind::submission);
    EXPECT_EQ(found->servers[1].host.tls, TlsUse::starttls);
    EXPECT_EQ(found->mx, (std::vector<std::string>{"a.mx.example", "b.mx.example"}));
}

TEST_F(DiscoveryTest, refused_service_is_told_as_such) {
    srv("_imap._tcp", {{0, 0, 0, domain("")}});
    const auto found = discover();
    ASSERT_EQ(found->servers.size(), 1U);
    EXPECT_TRUE(found->servers[0].declined);
    EXPECT_TRUE(lookups.judged.empty());
}

TEST_F(DiscoveryTest, targets_that_are_no_hosts_are_left_out) {
    for (const std::string target : {"127.1", "0x7f.1", "2130706433", "-a.example", "a.0x1"}) {
        srv("_imaps._tcp", {{0, 0, 993, domain(target)}});
        EXPECT_TRUE(discover()->servers.empty()) << target;
    }
    srv("_imaps._tcp", {{0, 0, 0, domain("mail.brand.example")}});
    EXPECT_TRUE(discover()->servers.empty());
    srv("_imaps._tcp", {{0, 0, 993, domain("127.1")}, {9, 0, 993, domain("mail.brand.example")}});
    EXPECT_EQ(discover()->servers.at(0).host.host, "mail.brand.example");
}

TEST_F(DiscoveryTest, private_address_is_told) {
    srv("_imaps._tcp", {{0, 0, 993, domain("inside.brand.example")}});
    lookups.private_hosts = {"inside.brand.example"};
    EXPECT_TRUE(discover()->servers.at(0).is_private);
}

TEST_F(DiscoveryTest, silence_ends_the_asking) {
    srv("_imaps._tcp", {{0, 0, 993, domain("mail.brand.example")}});
    lookups.silent = {"_imap._tcp.brand.example"};
    const auto found = discover();
    EXPECT_FALSE(found->is_complete);
    EXPECT_EQ(found->servers.size(), 1U);
    EXPECT_EQ(lookups.asked.size(), 2U);
    lookups.silent = {"brand.example"};
    EXPECT_FALSE(discover()->is_complete);
}

TEST_F(DiscoveryTest, what_is_no_domain_is_not_asked_for) {
    for (const std::string text : {"", "a..b", "a b", "brand.example\n", "m\xc3\xbcnchen.de"}) {
        const auto found = discover(text);
        EXPECT_TRUE(!found && found.error().is(MailError::not_found)) << text;
    }
    EXPECT_TRUE(lookups.asked.empty());
    // As long as a name may be: no room for a service before it.
    const std::string label(63, 'a');
    EXPECT_TRUE(discover(label + '.' + label + '.' + label + '.' + std::string(61, 'a')));
    EXPECT_EQ(lookups.asked.size(), 1U);
}

TEST_F(DiscoveryTest, many_mail_exchangers_are_cut) {
    for (std::uint16_t i = 0; i < 60; ++i) {
        lookups.answers["brand.example"].mx.push_back(
            {i, domain("mx" + std::to_string(i) + ".example")});
    }
    EXPECT_EQ(discover()->mx.size(), 8U);
}

}  // namespace
}  // namespace postern::mail::courier
