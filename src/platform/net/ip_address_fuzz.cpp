// Oracle: what is read as an address the C library reads as the same, and it is printed as one that
// is read as the same; a block holds its own base; what reads as a number is no host name; a mapped
// address is as public as what it carries.
#include "platform/net/ip_address.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/net/egress.h"

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::net;
    const auto text = postern::FuzzInput(data, size).text();
    const std::string terminated(text);
    std::array<std::uint8_t, 16> theirs{};
    if (const auto address = IpAddress::parse(text)) {
        const int family = address->is_v4() ? AF_INET : AF_INET6;
        POSTERN_CHECK(::inet_pton(family, terminated.c_str(), theirs.data()) == 1);
        POSTERN_CHECK(
            std::ranges::equal(address->bytes(), std::span(theirs).first(address->bytes().size())));
        POSTERN_CHECK(IpAddress::parse(address->text()) == *address);
        POSTERN_CHECK(!is_host_name(text) && is_public(*address) == is_public(address->unmapped()));
        POSTERN_CHECK(!address->is_loopback() || !is_public(*address));
        POSTERN_CHECK(EgressPolicy{}.permits(*address) == is_public(*address));
    }
    if (const auto block = Cidr::parse(text)) {
        POSTERN_CHECK(Cidr::parse(block->text())->text() == block->text());
        const auto base = IpAddress::parse(text.substr(0, text.find('/')));
        POSTERN_CHECK(base && block->contains(*base));
        POSTERN_CHECK(EgressPolicy{.allow_private = {*block}}.permits(*base));
    }
    // What the C library would connect to as a number must not pass as a name.
    in_addr number{};
    if (is_host_name(text)) POSTERN_CHECK(::inet_aton(terminated.c_str(), &number) == 0);
    return 0;
}
