// Oracle: a credential that is taken without an error keeps to every limit of Web Authentication,
// and its parts, written again, are taken as the same.
#include "edge/api/passkey_body.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern {
namespace {

using Errors = std::vector<codec::FieldError>;

identity::NewPasskey read_new(const codec::Json& json, Errors& errors) {
    codec::ObjectReader reader(json, "", errors);
    return api::read_new_passkey(reader, "credential", errors);
}

identity::ShownPasskey read_shown(const codec::Json& json, Errors& errors) {
    codec::ObjectReader reader(json, "", errors);
    return api::read_shown_passkey(reader, "credential", errors);
}

void check_new(const codec::Json& json) {
    Errors errors;
    const auto made = read_new(json, errors);
    if (!errors.empty()) return;
    POSTERN_CHECK(!made.client_data_json.empty() && made.client_data_json.size() <= 8192);
    POSTERN_CHECK(!made.attestation_object.empty() && made.attestation_object.size() <= 32768);
    POSTERN_CHECK(made.transports.size() <= 8);
    for (const auto& transport : made.transports)
        POSTERN_CHECK(!transport.empty() && transport.size() <= 32);
}

void check_shown(const codec::Json& json) {
    Errors errors;
    const auto shown = read_shown(json, errors);
    if (!errors.empty()) return;
    POSTERN_CHECK(!shown.credential_id.empty() && shown.credential_id.size() <= 1023);
    POSTERN_CHECK(!shown.authenticator_data.empty() && shown.authenticator_data.size() <= 8192);
    POSTERN_CHECK(!shown.signature.empty() && shown.signature.size() <= 512);
    POSTERN_CHECK(!shown.user_handle || shown.user_handle->size() <= 64);
    codec::JsonWriter out;
    out.begin_object().begin_object("credential").field("type", "public-key");
    out.field("id", codec::base64url(shown.credential_id)).begin_object("response");
    out.field("clientDataJSON", codec::base64url(shown.client_data_json))
        .field("authenticatorData", codec::base64url(shown.authenticator_data))
        .field("signature", codec::base64url(shown.signature));
    if (shown.user_handle) out.field("userHandle", codec::base64url(*shown.user_handle));
    const auto text = out.end_object().end_object().end_object().take();
    const auto again = read_shown(codec::Json::parse(as_bytes(text)).value(), errors);
    POSTERN_CHECK(errors.empty() && again.credential_id == shown.credential_id);
    POSTERN_CHECK(again.client_data_json == shown.client_data_json);
    POSTERN_CHECK(again.authenticator_data == shown.authenticator_data);
    POSTERN_CHECK(again.signature == shown.signature && again.user_handle == shown.user_handle);
}

}  // namespace
}  // namespace postern

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const auto json = codec::Json::parse(FuzzInput(data, size).bytes());
    if (!json) return 0;
    check_new(*json);
    check_shown(*json);
    return 0;
}
