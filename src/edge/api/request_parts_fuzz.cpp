// Oracle: a cursor and an event's number are what they are printed as; a form's fields are the same
// when they are written again; If-Match permits nothing whose tag it does not hold; of credentials
// nothing is taken that is not in the header; hosts of others are not ours.
#include "edge/api/authentication.h"
#include "edge/api/idempotency.h"
#include "edge/api/mail_view.h"
#include "edge/api/page.h"
#include "edge/api/request_conditions.h"
#include "edge/api/site.h"
#include "features/identity/bearer.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/base64.h"

#include <cstdint>
#include <string>

namespace postern {
namespace {

void check_form(std::string_view text) {
    const auto fields = api::parse_form(text, 8);
    if (!fields) return;
    POSTERN_CHECK(fields->size() <= 8);
    std::string again;
    for (const auto& [name, value] : *fields) {
        for (const auto* part : {&name, &value}) {
            for (const char c : *part)
                again.append("%").append(codec::hex(as_bytes(std::string_view(&c, 1))));
            again += part == &name ? '=' : '&';
        }
    }
    POSTERN_CHECK(api::parse_form(again, 8) == fields);
}

void check_conditions(std::string_view field) {
    constexpr std::string_view k_etag = "\"q83vASNFZ4mrze8B\"";
    const bool permits = api::if_match_permits(field, k_etag);
    POSTERN_CHECK(!permits || field == "*" || field.contains(k_etag));
    // A list that has it stays one with more around it; a tag that no list has is in none.
    const auto longer = "\"x\", " + std::string(field) + " , W/\"y\"";
    POSTERN_CHECK(field == "*" || permits == api::if_match_permits(longer, k_etag));
    if (permits && field != "*") POSTERN_CHECK(!api::if_match_permits(field, "\"\x01\""));
    if (api::is_idempotency_key(field))
        POSTERN_CHECK(field.size() <= 255 && field.find_first_of(" \r\n\t") == field.npos);
    if (const auto number = api::parse_event_id(field))
        POSTERN_CHECK(std::to_string(*number) == field && *number >= 0);
}

void check_credentials(FuzzInput input) {
    net::http::Request request;
    request.method = "POST";
    request.secure = input.byte() % 2 != 0;
    const std::string authorization(input.line());
    const std::string cookie(input.line());
    request.host = input.line();
    request.headers.add("Authorization", authorization);
    request.headers.add("Cookie", cookie);
    request.headers.add("Origin", input.line());
    const auto found = api::credentials_of(request);
    POSTERN_CHECK(found.bearer && authorization.contains(*found.bearer));
    POSTERN_CHECK(!found.session || cookie.contains("postern=" + *found.session));
    if (const auto hash = identity::hash_of_bearer(identity::k_api_token_prefix, *found.bearer))
        POSTERN_CHECK(found.bearer->size() == 47 && found.bearer->starts_with("pst_"));
    api::Site site{
        .ports = {8080}, .public_url = "https://postern.example", .isolation = {}, .version = {}};
    if (!api::is_our_host(site, request.host)) return;
    POSTERN_CHECK(request.host.find_first_of("/@\\?# ") == std::string::npos);
    POSTERN_CHECK(request.host.ends_with(":8080") || !request.host.contains(":80"));
}

}  // namespace
}  // namespace postern

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const FuzzInput input(data, size);
    if (const auto position = api::parse_cursor('t', input.text()))
        POSTERN_CHECK(api::make_cursor('t', *position) == input.text());
    (void)api::parse_attachment_id(input.text());
    check_form(input.text());
    check_conditions(input.text());
    check_credentials(input);
    return 0;
}
