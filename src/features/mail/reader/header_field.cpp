#include "features/mail/reader/header_field.h"

#include "features/mail/reader/defect.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_name_bytes_max = 256;

std::size_t name_size(std::string_view line) {
    const std::size_t colon = line.substr(0, k_name_bytes_max + 1).find(':');
    if (colon == std::string_view::npos) return 0;
    std::size_t size = colon;
    // "Subject : x" is obsolete syntax that old software still writes (section 4.5.8).
    while (size > 0 && (line[size - 1] == ' ' || line[size - 1] == '\t'))
        --size;
    const std::string_view name = line.substr(0, size);
    const bool printable = std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127; });
    return printable ? size : 0;
}

}  // namespace

bool is_field_start(std::string_view line) {
    return name_size(line) > 0;
}

std::vector<HeaderField> parse_header_fields(std::string_view block,
                                             const ParseLimits& limits,
                                             Defects& defects) {
    if (block.size() > limits.header_bytes) {
        block = block.substr(0, limits.header_bytes);
        defects.add(Defect::headers_cut);
    }
    std::vector<HeaderField> fields;
    bool known = false;  // whether a continuation line belongs to fields.back()
    while (!block.empty()) {
        const std::size_t end = std::min(block.find('\n'), block.size() - 1) + 1;
        const std::string_view line = block.substr(0, end);
        block.remove_prefix(end);
        if (line.front() == ' ' || line.front() == '\t') {
            if (known) {
                HeaderField& last = fields.back();
                last.raw = {last.raw.data(), last.raw.size() + line.size()};
            }
            continue;
        }
        const std::size_t size = name_size(line);
        known = size > 0;
        if (!known) continue;
        if (fields.size() == limits.fields) {
            defects.add(Defect::headers_cut);
            break;
        }
        fields.push_back({lower_case(line.substr(0, size)), line.substr(line.find(':') + 1)});
    }
    return fields;
}

std::string_view find_field(const std::vector<HeaderField>& fields, std::string_view name) {
    const auto found = std::ranges::find(fields, name, &HeaderField::name);
    return found == fields.end() ? std::string_view{} : found->raw;
}

std::string unfolded(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    std::ranges::copy_if(raw, std::back_inserter(out),
                         [](char c) { return c != '\r' && c != '\n' && c != '\0'; });
    return std::string(trimmed(out));
}

std::string without_comments(std::string_view value) {
    std::string out;
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        const std::size_t size = c == '\\' && i + 1 < value.size() ? 2 : 1;
        if (depth == 0) {
            if (c == '"') quoted = !quoted;
            if (!quoted && c == '(') {
                ++depth;
                out.push_back(' ');
                continue;
            }
            out.append(value.substr(i, size));
        } else if (c == '(') {
            ++depth;
        } else if (c == ')') {
            --depth;
        }
        i += size - 1;
    }
    return out;
}

}  // namespace postern::reader
