// Oracle: what is taken says by its bytes, looked at by offset, what it is taken for; it is refused
// where anything else was asked for, and a second time where it has a counter.
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/codec/webauthn/assertion.h"
#include "foundation/codec/webauthn/fake_primitives_test.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::webauthn;
    // {1: 1, 3: -8, -1: 6, -2: 32 zeroes}
    Bytes key{0xA4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32};
    key.resize(key.size() + 32);
    const test::FuzzedCeremony given(data, size);
    const Bytes signature{static_cast<std::uint8_t>(given.choice >> 7U)};
    StoredCredential stored{.public_key = key,
                            .sign_count = given.choice >> 4U & 7U,
                            .backup_eligible = (given.choice & 2U) != 0};
    const AssertionResponse response{given.client_data_json, given.rest, signature};
    const auto taken = check_assertion(given.primitives, given.expected, stored, response);
    if (!taken) return 0;

    const auto& bytes = given.rest;
    const auto hash = given.primitives.sha256(as_bytes(given.expected.rp_id));
    POSTERN_CHECK(signature.front() == 0);
    POSTERN_CHECK(bytes.size() >= 37 && std::equal(hash.begin(), hash.end(), bytes.begin()));
    const std::uint8_t flags = bytes[32];
    POSTERN_CHECK((flags & 0x01U) != 0 && (flags & 0x40U) == 0);
    POSTERN_CHECK(((flags & 0x04U) != 0) == taken->user_verified);
    POSTERN_CHECK(taken->user_verified || !given.expected.user_verification_required);
    POSTERN_CHECK(((flags & 0x08U) != 0) == stored.backup_eligible);
    POSTERN_CHECK(((flags & 0x10U) != 0) == taken->backed_up);
    POSTERN_CHECK((flags & 0x80U) != 0 || bytes.size() == 37);
    const std::uint32_t count =
        bytes[33] * 0x1000000U + bytes[34] * 0x10000U + bytes[35] * 0x100U + bytes[36];
    POSTERN_CHECK(taken->sign_count == count);
    POSTERN_CHECK(count > stored.sign_count || (count == 0 && stored.sign_count == 0));
    Bytes message = bytes;
    test::append(message, given.primitives.sha256(given.client_data_json));
    POSTERN_CHECK(given.primitives.verified() == message);

    for (const auto& other : given.others())
        POSTERN_CHECK(!check_assertion(given.primitives, other, stored, response));
    stored.sign_count = count;
    POSTERN_CHECK(check_assertion(given.primitives, given.expected, stored, response).has_value() ==
                  (count == 0));
    return 0;
}
