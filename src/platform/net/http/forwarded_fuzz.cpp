// Oracle: whoever is no trusted proxy is not believed; of a trusted one the address is never that
// of another trusted proxy unless all are; the host is one that can stand in a URL.
#include "platform/net/http/forwarded.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/net/http/head_rules.h"
#include "platform/net/ip_address.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::net;
    using namespace postern::net::http;
    postern::FuzzInput input(data, size);
    const auto choices = input.byte();
    Headers headers;
    headers.add("Host", "our.example");
    headers.add("Forwarded", input.line());
    headers.add("X-Forwarded-For", input.line());
    headers.add("X-Forwarded-Proto", input.line());
    headers.add("X-Forwarded-Host", input.line());
    if (choices & 4U) headers.add("X-Forwarded-For", input.line());
    if (choices & 8U) headers.add("Forwarded", input.line());
    const TrustedProxies proxies{
        .blocks = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")},
        .style = choices & 1U ? ForwardedStyle::forwarded : ForwardedStyle::x_forwarded};
    const bool is_tls = (choices & 2U) != 0;
    const auto stranger = *IpAddress::parse("198.51.100.7");
    const auto proxy = *IpAddress::parse("10.1.2.3");
    const auto unheard = resolve_origin(proxies, stranger, is_tls, headers);
    POSTERN_CHECK(unheard.address == stranger && unheard.secure == is_tls);
    POSTERN_CHECK(unheard.host == "our.example");
    const auto heard = resolve_origin(proxies, proxy, is_tls, headers);
    POSTERN_CHECK(heard.host == "our.example" || is_host(heard.host));
    // The nearest hop that is no proxy counts, whatever a client wrote to its left.
    Headers more;
    more.add("X-Forwarded-For", std::string(headers.joined("X-Forwarded-For")) + ", 203.0.113.9");
    const TrustedProxies plain{.blocks = proxies.blocks, .style = ForwardedStyle::x_forwarded};
    POSTERN_CHECK(resolve_origin(plain, proxy, is_tls, more).address ==
                  *IpAddress::parse("203.0.113.9"));
    return 0;
}
