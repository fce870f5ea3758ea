#include "features/trust/claims.h"

#include "features/trust/claim.h"

#include <charconv>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

/// "P10.own-threads" -> 10.
int promise_of(const Claim& claim) {
    int number = 0;
    const std::string_view digits = claim.id.substr(1);
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

}  // namespace

std::vector<Claim> all_claims(const Grounds& grounds) {
    std::multimap<int, Claim> by_promise;
    for (auto claims : {access_claims(grounds), holder_claims(grounds), fence_claims(grounds),
                        wire_claims(grounds), data_claims(grounds), at_rest_claims(grounds),
                        keyring_claims(grounds), sign_in_claims(grounds), privacy_claims(grounds),
                        audit_claims(grounds)}) {
        for (auto& claim : claims)
            by_promise.emplace(promise_of(claim), std::move(claim));
    }
    std::vector<Claim> all;
    for (auto& [promise, claim] : by_promise)
        all.push_back(std::move(claim));
    return all;
}

}  // namespace postern::trust
