#include "platform/net/http/request.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::net::http {

std::string request_id_text(std::uint64_t id) {
    constexpr std::string_view k_hex = "0123456789abcdef";
    std::string text = "req_";
    for (int shift = 60; shift >= 0; shift -= 4)
        text += k_hex[(id >> shift) & 15U];
    return text;
}

}  // namespace postern::net::http
