#include "foundation/codec/imap/header_block.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/text_match.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::imap {

namespace {

constexpr std::string_view k_blank = " \t";

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view trim(std::string_view text) {
    const std::size_t start = text.find_first_not_of(k_blank);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(k_blank) - start + 1);
}

bool is_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<HeaderBlock> HeaderBlock::parse(ByteView block) {
    if (block.size() > k_header_block_bytes_max) return fail(ImapError::literal_too_large);
    HeaderBlock out;
    out.text_.reserve(block.size());
    std::string_view left = as_text(block);
    bool in_field = false;
    while (!left.empty()) {
        const std::string_view line = take_line(left);
        if (line.empty()) break;
        if (k_blank.find(line.front()) != std::string_view::npos) {
            if (in_field) out.continue_field(line);
            continue;
        }
        const std::size_t before = out.fields_.size();
        if (auto r = out.begin_field(line); !r) return fail(std::move(r.error()));
        in_field = out.fields_.size() > before;
    }
    return out;
}

Result<> HeaderBlock::begin_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view name = trim(line.substr(0, colon));
    if (!is_name(name)) return {};
    if (fields_.size() == k_header_fields_max) return fail(ImapError::too_many_results);
    const std::string_view value = line.substr(colon + 1);
    Field field{.name_at = text_.size(), .name_size = name.size(), .value_at = 0, .value_size = 0};
    text_.append(name);
    field.value_at = text_.size();
    field.value_size = value.size();
    text_.append(value);
    fields_.push_back(field);
    return {};
}

void HeaderBlock::continue_field(std::string_view line) {
    text_.append(line);
    fields_.back().value_size += line.size();
}

std::vector<std::string_view> HeaderBlock::all(std::string_view name) const {
    std::vector<std::string_view> out;
    for (const Field& field : fields_) {
        if (!equals_no_case(part(field.name_at, field.name_size), name)) continue;
        out.push_back(trim(part(field.value_at, field.value_size)));
    }
    return out;
}

std::optional<std::string_view> HeaderBlock::first(std::string_view name) const {
    const auto values = all(name);
    if (values.empty()) return std::nullopt;
    return values.front();
}

}  // namespace postern::imap
