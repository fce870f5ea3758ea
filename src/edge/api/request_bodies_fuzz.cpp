// Oracle: a body that is taken without an error keeps to every limit that the document of the API
// names; one that is refused says at which of its fields.
#include "edge/api/integration_body.h"
#include "edge/api/mail_body.h"
#include "edge/api/password_field.h"
#include "edge/api/secret_field.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/json.h"

#include <cstdint>
#include <vector>

namespace postern {
namespace {

using Errors = std::vector<codec::FieldError>;

void check_connect(const codec::Json& json) {
    Errors errors;
    const auto body = api::read_connect(json, errors);
    for (const auto& error : errors)
        POSTERN_CHECK(!error.code.empty());
    if (!errors.empty()) return;
    const auto& ask = body.ask;
    POSTERN_CHECK(!ask.name.empty() && (ask.level == "replies" || ask.level == "send_only"));
    POSTERN_CHECK(ask.generate != (!ask.shared_secret.clear.empty() ||
                                   !ask.shared_secret.boxed.empty() || body.is_empty_secret));
    POSTERN_CHECK(!ask.destination.smtp.host.empty() && ask.destination.smtp.port != 0);
    POSTERN_CHECK(ask.level == "send_only" || ask.destination.imap.port != 0);
    POSTERN_CHECK(ask.destination.address.contains('@'));
}

void check_mail(const codec::Json& json, bool is_first) {
    Errors errors;
    codec::ObjectReader reader(json, "", errors);
    const auto mail = api::read_mail(reader, is_first, errors);
    reader.finish();
    if (!errors.empty()) return;
    POSTERN_CHECK(mail.to.size() <= 50 && (!is_first || !mail.to.empty()));
    POSTERN_CHECK(mail.subject.find_first_of("\r\n") == std::string::npos);
    for (const auto& person : mail.to) {
        POSTERN_CHECK(person.address.contains('@'));
        POSTERN_CHECK((person.name + person.address).find_first_of("\r\n") == std::string::npos);
    }
}

void check_grant(const codec::Json& json) {
    Errors errors;
    codec::ObjectReader reader(json, "", errors);
    const auto grant = api::read_grant(reader);
    reader.finish();
    if (errors.empty()) POSTERN_CHECK(grant.verbs != 0 && grant.expires_in_s > 0);
}

void check_password(const codec::Json& json) {
    Errors errors;
    codec::ObjectReader reader(json, "", errors);
    const auto password = api::read_password(reader, "password");
    reader.finish();
    POSTERN_CHECK(password.size() <= 1000);
    // An error about no field is about the whole body, of which nothing is read then.
    for (const auto& error : errors) {
        POSTERN_CHECK(!error.code.empty());
        POSTERN_CHECK(!error.field.empty() || password.empty());
    }
}

}  // namespace
}  // namespace postern

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const auto json = codec::Json::parse(FuzzInput(data, size).bytes());
    if (!json) return 0;
    Errors errors;
    (void)api::read_reconnect(*json, errors);
    check_connect(*json);
    check_mail(*json, true);
    check_mail(*json, false);
    check_grant(*json);
    check_password(*json);
    return 0;
}
