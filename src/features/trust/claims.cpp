#include "features/trust/claims.h"

#include "features/trust/claim.h"

#include <algorithm>
#include <charconv>
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
    std::vector<Claim> all = access_claims(grounds);
    for (auto more : {wire_claims(), data_claims(grounds)})
        std::move(more.begin(), more.end(), std::back_inserter(all));
    std::stable_sort(all.begin(), all.end(),
                     [](const Claim& a, const Claim& b) { return promise_of(a) < promise_of(b); });
    return all;
}

}  // namespace postern::trust
