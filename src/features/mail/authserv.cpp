#include "features/mail/authserv.h"

#include "features/mail/protocol/courier_protocol.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {
namespace {

/// What registries of countries put between a name and their own: "co.uk", "com.au", "or.jp".
constexpr std::array<std::string_view, 16> k_second_level = {"ac",  "co", "com", "edu", "go", "gob",
                                                             "gov", "gr", "id",  "ltd", "me", "ne",
                                                             "net", "or", "org", "plc"};

std::string_view last_labels(std::string_view name, std::size_t count) {
    auto at = name.size();
    while (count-- > 0) {
        const auto dot = at == 0 ? std::string_view::npos : name.rfind('.', at - 1);
        if (dot == std::string_view::npos) return name;
        at = dot;
    }
    return name.substr(at + 1);
}

bool is_address(std::string_view name) {
    return name.find_first_not_of("0123456789.") == std::string_view::npos ||
           name.find(':') != std::string_view::npos;
}

bool speaks_of_several(const Authentication& one) {
    const auto methods = {one.dmarc, one.dkim, one.spf};
    return std::ranges::count(methods, AuthResult::none) < 2;
}

void take_topmost(AuthResult& found, AuthResult below) {
    if (found == AuthResult::none) found = below;
}

}  // namespace

std::string organisation_of(std::string_view server) {
    while (server.ends_with('.'))
        server.remove_suffix(1);
    if (server.empty()) return std::string(k_nameless_authserv);
    if (is_address(server)) return std::string(server);
    const auto two = last_labels(server, 2);
    const auto country = last_labels(two, 1);
    const auto second = two.substr(0, two.find('.'));
    const bool is_suffix =
        country.size() == 2 && std::ranges::find(k_second_level, second) != k_second_level.end();
    return std::string(is_suffix ? last_labels(server, 3) : two);
}

bool is_forged(const std::vector<Authentication>& results, std::string_view organisation) {
    const auto is_theirs = [&](const Authentication& one) {
        return organisation_of(one.server) == organisation;
    };
    const auto first = std::ranges::find_if(results, is_theirs);
    const auto end = std::find_if_not(first, results.end(), is_theirs);
    const auto failed = [](const Authentication& one) { return one.dmarc == AuthResult::fail; };
    if (std::any_of(first, end, failed)) return true;
    const auto last = std::find_if(first, end, speaks_of_several);
    Authentication found;
    for (auto one = first; one != end; ++one) {
        take_topmost(found.dmarc, one->dmarc);
        take_topmost(found.dkim, one->dkim);
        take_topmost(found.spf, one->spf);
        if (one == last) break;
    }
    if (found.dmarc == AuthResult::pass) return false;
    const bool passed = found.dkim == AuthResult::pass || found.spf == AuthResult::pass;
    return !passed && (found.dkim == AuthResult::fail || found.spf == AuthResult::fail);
}

}  // namespace postern::mail
