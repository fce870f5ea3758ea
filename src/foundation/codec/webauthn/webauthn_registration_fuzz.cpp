// Oracle: what is taken is refused where anything else was asked for, and the plainest response
// that says the same, with its members in another order, is taken as the same.
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/fake_primitives_test.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/registration.h"

#include <cstddef>
#include <cstdint>

namespace {

using postern::Bytes;
using postern::webauthn::Credential;
using postern::webauthn::test::append;
using postern::webauthn::test::FuzzedCeremony;

void append_number(Bytes& out, std::size_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

Bytes plainest(const FuzzedCeremony& ceremony, const Credential& credential) {
    Bytes data;
    append(data, ceremony.primitives.sha256(postern::as_bytes(ceremony.expected.rp_id)));
    append_number(data,
                  0x41U + (credential.user_verified ? 0x04U : 0U) +
                      (credential.backup_eligible ? 0x08U : 0U) +
                      (credential.backed_up ? 0x10U : 0U),
                  1);
    append_number(data, credential.sign_count, 4);
    append(data, credential.aaguid);
    append_number(data, credential.id.size(), 2);
    append(data, credential.id);
    append(data, credential.public_key);
    Bytes out;
    append(out, postern::as_bytes("\xA3\x68"
                                  "authData"));
    append_number(out, data.size() < 256 ? 0x58 : 0x59, 1);
    append_number(out, data.size(), data.size() < 256 ? 1 : 2);
    append(out, data);
    append(out, postern::as_bytes("\x67"
                                  "attStmt\xA0\x63"
                                  "fmt\x64none"));
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::webauthn;
    const FuzzedCeremony given(data, size);
    const auto taken =
        check_registration(given.primitives, given.expected, {given.client_data_json, given.rest});
    if (!taken) return 0;
    POSTERN_CHECK(!taken->id.empty() && taken->id.size() <= k_credential_id_bytes_max);
    POSTERN_CHECK(taken->user_verified || !given.expected.user_verification_required);
    POSTERN_CHECK(taken->backup_eligible || !taken->backed_up);
    POSTERN_CHECK(parse_cose_key(taken->public_key)->algorithm == taken->algorithm);
    for (const auto& other : given.others()) {
        POSTERN_CHECK(
            !check_registration(given.primitives, other, {given.client_data_json, given.rest}));
    }
    const auto plain = plainest(given, *taken);
    const auto again =
        check_registration(given.primitives, given.expected, {given.client_data_json, plain});
    POSTERN_CHECK(again.has_value());
    POSTERN_CHECK(again->id == taken->id && again->public_key == taken->public_key);
    POSTERN_CHECK(plainest(given, *again) == plain);
    return 0;
}
