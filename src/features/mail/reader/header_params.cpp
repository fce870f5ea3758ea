#include "features/mail/reader/header_params.h"

#include "features/mail/reader/charset.h"
#include "features/mail/reader/defect.h"
#include "features/mail/reader/encoded_word.h"
#include "features/mail/reader/header_field.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace postern::reader {
namespace {

constexpr std::size_t k_params_max = 100;

void skip_gap(std::string_view& rest) {
    while (!rest.empty() && (is_space(rest.front()) || rest.front() == ';'))
        rest.remove_prefix(1);
}

std::string_view take_until(std::string_view& rest, std::string_view stops) {
    const std::size_t end = std::min(rest.find_first_of(stops), rest.size());
    const std::string_view taken = rest.substr(0, end);
    rest.remove_prefix(end);
    return taken;
}

std::string take_quoted(std::string_view& rest) {
    rest.remove_prefix(1);
    // Old mailers put a Windows path here and did not escape it.
    const bool path = rest.size() > 2 && is_alpha(rest[0]) && rest.substr(1, 2) == ":\\";
    std::string out;
    while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\' && rest.size() > 1 && !path) rest.remove_prefix(1);
        out.push_back(rest.front());
        rest.remove_prefix(1);
    }
    if (!rest.empty()) rest.remove_prefix(1);
    return out;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

}  // namespace

HeaderParams HeaderParams::parse(std::string_view raw) {
    const std::string value = without_comments(unfolded(raw));
    std::string_view rest = value;
    HeaderParams out;
    skip_gap(rest);
    // "Content-Disposition: ; filename=x" has parameters only.
    const std::string_view first = rest.substr(0, rest.find_first_of("; \t"));
    if (!first.contains('=')) out.value_ = lower_case(take_until(rest, "; \t"));
    while (out.params_.size() < k_params_max) {
        skip_gap(rest);
        if (rest.empty()) break;
        const std::string_view name = trimmed(take_until(rest, "=;"));
        if (rest.empty() || rest.front() == ';') continue;
        rest.remove_prefix(1);
        while (!rest.empty() && is_space(rest.front()))
            rest.remove_prefix(1);
        Param param{lower_case(name), {}};
        if (!rest.empty() && rest.front() == '"') {
            param.value = take_quoted(rest);
        } else {
            param.value = trimmed(take_until(rest, ";"));
        }
        out.params_.push_back(std::move(param));
    }
    return out;
}

const HeaderParams::Param* HeaderParams::find(std::string_view name) const {
    const auto found = std::ranges::find(params_, name, &Param::name);
    return found == params_.end() ? nullptr : &*found;
}

// RFC 2231: name*=charset'lang'pct, or pieces name*0*=, name*1= of which those that end in "*" are
// percent-encoded.
HeaderParams::Extended HeaderParams::extended(std::string_view name) const {
    Extended out;
    const auto take = [&out](std::string_view value, bool encoded, bool first) {
        out.found = true;
        if (!encoded) {
            out.bytes += value;
            return;
        }
        const std::size_t one = first ? value.find('\'') : std::string_view::npos;
        const std::size_t two =
            one == std::string_view::npos ? std::string_view::npos : value.find('\'', one + 1);
        if (two != std::string_view::npos) {
            out.charset = value.substr(0, one);
            value.remove_prefix(two + 1);
        }
        out.bytes += percent_decoded(value);
    };
    const std::string base = std::string(name) + "*";
    if (const Param* whole = find(base)) {
        take(whole->value, true, true);
        return out;
    }
    for (std::size_t i = 0; i < k_params_max; ++i) {
        const std::string piece = base + std::to_string(i);
        const Param* encoded = find(piece + "*");
        const Param* plain = encoded == nullptr ? find(piece) : nullptr;
        if (encoded == nullptr && plain == nullptr) break;
        take(encoded != nullptr ? encoded->value : plain->value, encoded != nullptr, i == 0);
    }
    return out;
}

std::string HeaderParams::bytes(std::string_view name) const {
    Extended value = extended(name);
    if (value.found) return std::move(value.bytes);
    const Param* plain = find(name);
    return plain == nullptr ? std::string{} : plain->value;
}

std::string HeaderParams::text(std::string_view name, Defects& defects) const {
    const Extended value = extended(name);
    if (!value.found) {
        const Param* plain = find(name);
        return plain == nullptr ? std::string{} : decode_header_text(plain->value, defects);
    }
    Utf8Text text = to_utf8(value.bytes, value.charset);
    if (!text.charset_known) defects.add(Defect::charset_unknown);
    if (text.broken) defects.add(Defect::charset_broken);
    return std::move(text.text);
}

}  // namespace postern::reader
