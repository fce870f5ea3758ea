#pragma once

#include "foundation/base/clock.h"

#include <cstddef>
#include <optional>
#include <string>
#include <tuple>

namespace postern::syslog {

/// One line of text with the time that it is of.
struct Message {
    UnixMs at_ms = 0;
    std::string text;
    auto wire() { return std::tie(at_ms, text); }
};

inline constexpr std::size_t k_text_bytes_max = 480;

/// The message as RFC 5424 writes it: of the log's audit, a notice, by "postern", of the kind
/// "anchor"; with its length in front (RFC 5425). Nothing: the text is not one line of printable
/// ASCII, or too long.
[[nodiscard]] std::optional<std::string> frame_of(const std::string& host_name,
                                                  const Message& message);

/// "https://mail.example:8443" is sent under "mail.example"; "-" where no URL is set.
[[nodiscard]] std::string host_name_of(const std::string& public_url);

}  // namespace postern::syslog
