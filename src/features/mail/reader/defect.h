#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace postern::reader {

/// What was wrong with a mail, or was cut, although it could be read.
enum class Defect : std::uint8_t {
    depth_cut,
    headers_cut,
    header_line_broken,
    boundary_missing,
    boundary_unclosed,
    transfer_encoding_unknown,
    transfer_encoding_broken,
    charset_unknown,
    charset_broken,
    text_cut,
    html_cut,
    addresses_cut,
    references_cut,
    date_broken,
};

[[nodiscard]] constexpr std::string_view defect_name(Defect defect) {
    switch (defect) {
        case Defect::depth_cut: return "depth_cut";
        case Defect::headers_cut: return "headers_cut";
        case Defect::header_line_broken: return "header_line_broken";
        case Defect::boundary_missing: return "boundary_missing";
        case Defect::boundary_unclosed: return "boundary_unclosed";
        case Defect::transfer_encoding_unknown: return "transfer_encoding_unknown";
        case Defect::transfer_encoding_broken: return "transfer_encoding_broken";
        case Defect::charset_unknown: return "charset_unknown";
        case Defect::charset_broken: return "charset_broken";
        case Defect::text_cut: return "text_cut";
        case Defect::html_cut: return "html_cut";
        case Defect::addresses_cut: return "addresses_cut";
        case Defect::references_cut: return "references_cut";
        case Defect::date_broken: return "date_broken";
    }
    return "unknown";
}

/// Each kind at most once, in the order in which they were met.
class Defects {
public:
    void add(Defect defect) {
        if (!has(defect)) list_.push_back(defect);
    }
    [[nodiscard]] bool has(Defect defect) const {
        return std::ranges::find(list_, defect) != list_.end();
    }
    [[nodiscard]] const std::vector<Defect>& list() const noexcept { return list_; }

private:
    std::vector<Defect> list_;
};

}  // namespace postern::reader
