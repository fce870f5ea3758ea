#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace postern::reader {

struct SanitiseOptions {
    /// Images of the mail that may be shown; nullptr = any content id.
    const std::set<std::string>* content_ids = nullptr;
    std::size_t output_bytes_max = 2U << 20U;
};

struct SanitiseReport {
    std::uint32_t remote_images = 0;     ///< left out
    std::uint32_t dropped_images = 0;    ///< data: and unknown content ids
    std::uint32_t dropped_links = 0;     ///< their text stays
    std::uint32_t dropped_elements = 0;  ///< with their content
    bool cut = false;                    ///< input or output bound reached
};

/// Writes a mail's HTML anew as a small subset of HTML: text, allowed tags, allowed attributes,
/// nothing else. Nothing of the input is copied as markup. Showing the result asks no server;
/// applied to its own result it changes nothing. At most 4 x output_bytes_max of input are read.
[[nodiscard]] std::string sanitise_html(std::string_view html,
                                        SanitiseReport& report,
                                        const SanitiseOptions& options = {});

}  // namespace postern::reader
