#include "features/mail/courier/discovery.h"

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/message.h"
#include "foundation/codec/dns/name.h"
#include "platform/async/task.h"
#include "platform/net/egress.h"
#include "platform/net/net_error.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::chrono::milliseconds k_discovery_max{8000};
constexpr std::size_t k_mx_max = 8;

struct Service {
    ServerKind kind;
    std::string_view label;  ///< RFC 6186 section 3, RFC 8314 section 5.1
    TlsUse tls;
};
constexpr std::array<Service, 4> k_services{{
    {ServerKind::imaps, "_imaps._tcp.", TlsUse::implicit},
    {ServerKind::imap, "_imap._tcp.", TlsUse::starttls},
    {ServerKind::submissions, "_submissions._tcp.", TlsUse::implicit},
    {ServerKind::submission, "_submission._tcp.", TlsUse::starttls},
}};

/// A target that can be connected to: no address in disguise, no port 0.
bool is_usable(const dns::SrvRecord& srv) {
    return srv.port != 0 && net::is_host_name(srv.target.text());
}

/// RFC 2782: the lowest priority. Of several, always the same one: the proposal is for a person.
std::optional<FoundServer> preferred(const Service& service, std::vector<dns::SrvRecord> records) {
    if (records.empty()) return std::nullopt;
    FoundServer found;
    found.kind = service.kind;
    if (records.size() == 1 && records.front().target.is_root()) {
        found.declined = true;
        return found;
    }
    std::erase_if(records, [](const auto& srv) { return !is_usable(srv); });
    if (records.empty()) return std::nullopt;
    const auto best = std::ranges::min_element(records, [](const auto& a, const auto& b) {
        return std::tuple(a.priority, b.weight, a.target) <
               std::tuple(b.priority, a.weight, b.target);
    });
    found.host = {best->target.text(), best->port, service.tls};
    return found;
}

std::vector<std::string> names_of(std::vector<dns::MxRecord> records) {
    std::ranges::sort(records);
    std::vector<std::string> names;
    for (const auto& mx : records) {
        if (names.size() == k_mx_max) break;
        if (!mx.exchange.is_root()) names.push_back(mx.exchange.text());
    }
    return names;
}

}  // namespace

async::Task<DiscoverServers::Answer> discover_servers(NameLookups* lookups, std::string domain) {
    const auto deadline = Deadline::in(k_discovery_max);
    const auto name = dns::DomainName::parse(domain);
    if (!name) co_return fail(MailError::not_found, "no domain name");
    DiscoverServers::Answer answer;
    for (const auto& service : k_services) {
        const auto asked = dns::DomainName::parse(std::string(service.label) + name->text());
        // Too long a name has no such records.
        if (!asked) continue;
        auto asking = lookups->ask({*asked, dns::RecordType::srv}, deadline);
        auto told = co_await std::move(asking);
        if (!told && told.error().is(async::AsyncError::cancelled)) co_return fail(told.error());
        if (!told) {
            // Whoever does not answer one question is not asked four more.
            answer.is_complete = false;
            co_return answer;
        }
        auto found = preferred(service, std::move(told->srv));
        if (!found) continue;
        if (!found->declined) {
            auto judging = lookups->judge(found->host.host, deadline);
            const auto judged = co_await std::move(judging);
            found->is_private =
                !judged && judged.error().is(net::NetError::refused_private_address);
        }
        answer.servers.push_back(std::move(*found));
    }
    auto asking = lookups->ask({*name, dns::RecordType::mx}, deadline);
    auto told = co_await std::move(asking);
    if (!told && told.error().is(async::AsyncError::cancelled)) co_return fail(told.error());
    answer.is_complete = told.has_value();
    if (told) answer.mx = names_of(std::move(told->mx));
    co_return answer;
}

}  // namespace postern::mail::courier
