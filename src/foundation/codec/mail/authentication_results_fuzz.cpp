// Oracle: never both passed and failed; the server is bounded and in lower case; the shortest field
// that says the same of the same server is read as the same; letter case says nothing.
#include "foundation/codec/mail/authentication_results.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

using postern::codec::AuthenticationResults;

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

bool is_same(const AuthenticationResults& a, const AuthenticationResults& b) {
    return a.server == b.server && a.nameless == b.nameless && a.passed == b.passed &&
           a.failed == b.failed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::codec;
    const std::string text(postern::FuzzInput(data, size).text());
    const auto found = AuthenticationResults::parse(text);
    POSTERN_CHECK(!(found.passed && found.failed));
    POSTERN_CHECK(found.server.size() <= k_authentication_server_bytes_max);
    POSTERN_CHECK(std::ranges::none_of(found.server, [](char c) { return c >= 'A' && c <= 'Z'; }));
    if (!found.well_formed()) {
        POSTERN_CHECK(!found.passed && !found.failed);
        return 0;
    }
    auto loud = text;
    std::ranges::transform(loud, loud.begin(), upper);
    POSTERN_CHECK(is_same(AuthenticationResults::parse(loud), found));
    POSTERN_CHECK(found.nameless == found.server.empty());
    std::string again = found.nameless ? "compauth=none" : found.server;
    if (found.passed) again += "; dmarc=pass";
    if (found.failed) again += "; dmarc=fail";
    if (!found.passed && !found.failed) again += "; none";
    POSTERN_CHECK(is_same(AuthenticationResults::parse(again), found));
    return 0;
}
