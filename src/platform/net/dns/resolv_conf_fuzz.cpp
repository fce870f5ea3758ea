// Oracle: one to three servers, each of which a line of the text names in the C library's sense;
// written anew they are read as the same; a server in front of a text becomes the first one.
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/net/dns/dns_client.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::net;
    const postern::FuzzInput input(data, size);
    const std::string text(input.text());
    const auto servers = name_servers_of(text);
    POSTERN_CHECK(!servers.empty() && servers.size() <= 3);
    std::string again;
    for (const auto& server : servers) {
        POSTERN_CHECK(server.port == 53);
        again += "# a line\nnameserver " + server.address.text() + "\n";
    }
    POSTERN_CHECK(name_servers_of(again) == servers);
    const bool names_none = text.find("nameserver") == std::string::npos;
    if (names_none) POSTERN_CHECK(servers.size() == 1 && servers[0].address.is_loopback());
    const auto more = name_servers_of("nameserver 192.0.2.7\n" + text);
    POSTERN_CHECK(more.front().address.text() == "192.0.2.7");
    const bool was_default = servers.size() == 1 && servers[0].address.is_loopback();
    const auto kept = std::min<std::size_t>(servers.size(), 2);
    POSTERN_CHECK(was_default ||
                  std::ranges::equal(std::span(more).subspan(1), std::span(servers).first(kept)));
    return 0;
}
