#pragma once

#include "foundation/base/bytes.h"
#include "platform/net/http/response.h"

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace postern::net::http {

/// "Tue, 15 Nov 1994 08:12:31 GMT"
[[nodiscard]] std::string http_date(std::time_t time);
[[nodiscard]] std::string_view reason_phrase(int status);

enum class Framing { content_length, chunked, until_close };

struct HeadOptions {
    Framing framing = Framing::content_length;
    bool keep_alive = true;
    std::uint64_t body_size = 0;  ///< for content_length
};

/// False when a name or value would break out of its line: nothing may be sent then.
[[nodiscard]] bool is_writable(const Response& response);

/// Appends status line and header fields. The date is formatted once a second.
void append_head(WipedBytes& out, const Response& response, HeadOptions options);

}  // namespace postern::net::http
