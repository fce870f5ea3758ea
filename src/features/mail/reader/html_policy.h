#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::reader {

/// What becomes of an element of a mail's HTML. The lists are in html_policy.cpp.
enum class ElementRule : std::uint8_t {
    unwrap,  ///< the tag goes, its content stays
    drop,    ///< the tag goes with its content
    vanish,  ///< an element without content goes
    keep,
    keep_void,
};

[[nodiscard]] ElementRule element_rule(std::string_view name);
/// "strike" is written as "s", "center" as "div" and so on.
[[nodiscard]] std::string_view canonical_element(std::string_view name);
/// Starts a new line, and ends an open paragraph.
[[nodiscard]] bool is_block_element(std::string_view name);

/// The address as it may stand in href: http, https or mailto, one form only, without control
/// characters and credentials. Empty if it is anything else.
[[nodiscard]] std::string safe_link(std::string_view value);
/// The content id of a "cid:" address, percent signs undone; empty if it is none.
[[nodiscard]] std::string content_id_of(std::string_view address);
/// Whether showing the address would ask a server.
[[nodiscard]] bool is_remote(std::string_view address);

}  // namespace postern::reader
