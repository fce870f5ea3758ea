// Oracle: a cursor is what it is printed as; a form's fields are the same when they are written
// again; of credentials nothing is taken that is not in the header; hosts of others are not ours.
#include "edge/api/authentication.h"
#include "edge/api/mail_view.h"
#include "edge/api/page.h"
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
    check_credentials(input);
    return 0;
}
