#include "foundation/codec/webauthn/registration.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/cbor.h"
#include "foundation/codec/webauthn/authenticator_data.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/primitives.h"
#include "foundation/codec/webauthn/webauthn_error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::webauthn {
namespace {

/// Section 6.5.4. Views of the attestation object.
struct Attestation {
    std::string_view format;
    const codec::Cbor* statement = nullptr;  ///< a map
    ByteView authenticator_data;
};

Result<codec::Cbor> parse_object(ByteView object) {
    if (object.size() > k_attestation_object_bytes_max)
        return fail(WebauthnError::malformed_attestation, "too large");
    auto map = codec::Cbor::parse(object);
    if (!map) return fail(WebauthnError::malformed_attestation, std::string(map.error().code()));
    return map;
}

Result<Attestation> read_object(const codec::Cbor& map) {
    const auto* const format = map.find("fmt");
    const auto* const statement = map.find("attStmt");
    const auto* const data = map.find("authData");
    if (format == nullptr || statement == nullptr || data == nullptr)
        return fail(WebauthnError::malformed_attestation, "a member is missing");
    const auto name = format->text();
    const auto bytes = data->bytes();
    if (!name || statement->entries() == nullptr || !bytes)
        return fail(WebauthnError::malformed_attestation, "a member is of another type");
    return Attestation{*name, statement, *bytes};
}

/// Section 8.2: without x5c it is a self attestation.
Result<> check_self_attestation(const Primitives& primitives,
                                const Attestation& attestation,
                                const CoseKey& key,
                                ByteView client_data_json) {
    const auto* const algorithm = attestation.statement->find("alg");
    const auto* const given = attestation.statement->find("sig");
    const auto signature = given == nullptr ? std::nullopt : given->bytes();
    if (algorithm == nullptr || !signature)
        return fail(WebauthnError::malformed_attestation, "a self attestation without signature");
    // alg is that of the credential's key.
    if (algorithm->integer() != static_cast<std::int64_t>(key.algorithm))
        return fail(WebauthnError::wrong_attestation, "another algorithm");
    // sig is a signature of it over authenticatorData and clientDataHash.
    const auto message =
        signed_message(primitives, attestation.authenticator_data, client_data_json);
    if (!primitives.verify(key, message, *signature))
        return fail(WebauthnError::wrong_attestation, "a wrong signature");
    return {};
}

Result<> check_attestation(const Primitives& primitives,
                           const Attestation& attestation,
                           const CoseKey& key,
                           ByteView client_data_json) {
    const auto& statement = *attestation.statement;
    // Section 8.7: the statement of `none` is an empty map.
    if (attestation.format == "none" && !statement.entries()->empty())
        return fail(WebauthnError::wrong_attestation, "none, with a statement");
    // ecdaaKeyId is Level 1's third kind of packed.
    const bool is_self = attestation.format == "packed" && statement.find("x5c") == nullptr &&
                         statement.find("ecdaaKeyId") == nullptr;
    if (is_self) return check_self_attestation(primitives, attestation, key, client_data_json);
    return {};
}

}  // namespace

Result<Credential> check_registration(const Primitives& primitives,
                                      const Expected& expected,
                                      const RegistrationResponse& response) {
    // Steps on the client data: C.type, C.challenge, C.origin, C.crossOrigin, C.topOrigin.
    const auto client =
        check_client_data(primitives, expected, "webauthn.create", response.client_data_json);
    if (!client) return fail(client.error());
    // Step: the attestation object is decoded.
    POSTERN_TRY(const auto object, parse_object(response.attestation_object));
    POSTERN_TRY(const auto attestation, read_object(object));
    // Steps: credentialId has at most 1023 bytes; alg is one of pubKeyCredParams, which offers what
    // parse_cose_key takes; extension outputs, of which none was asked for, are ignored.
    POSTERN_TRY(auto data, parse_authenticator_data(attestation.authenticator_data));
    // Steps on the authenticator data: rpIdHash, UP, UV, BE and BS.
    if (const auto flags = check_flags(primitives, expected, data); !flags)
        return fail(flags.error());
    if (!data.credential) return fail(WebauthnError::no_credential);
    if (!primitives.is_usable(data.credential->key)) return fail(WebauthnError::no_point);
    // Steps: fmt is looked at, attStmt is correct. It makes nothing trustworthy for us.
    const auto sound =
        check_attestation(primitives, attestation, data.credential->key, response.client_data_json);
    if (!sound) return fail(sound.error());
    return Credential{.id = std::move(data.credential->id),
                      .public_key = std::move(data.credential->cose_key),
                      .algorithm = data.credential->key.algorithm,
                      .sign_count = data.sign_count,
                      .aaguid = data.credential->aaguid,
                      .backup_eligible = data.backup_eligible,
                      .backed_up = data.backed_up,
                      .user_verified = data.user_verified};
}

}  // namespace postern::webauthn
