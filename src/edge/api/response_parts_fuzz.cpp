// Oracle: a file's name stands in Content-Disposition so that a client gets its bytes back, and as
// one parameter of one line; of a text in HTML nothing is markup, and unescaped it is the same.
#include "edge/api/download.h"
#include "edge/api/pages.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern {
namespace {

constexpr std::size_t k_shown_bytes_max = 200;

unsigned char digit_of(char c) {
    const auto at = std::string_view("0123456789ABCDEF").find(c);
    POSTERN_CHECK(at != std::string_view::npos);
    return static_cast<unsigned char>(at);
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at];
            continue;
        }
        POSTERN_CHECK(at + 2 < text.size());
        out += static_cast<char>(digit_of(text[at + 1]) << 4U | digit_of(text[at + 2]));
        at += 2;
    }
    return out;
}

void check_disposition(std::string_view name) {
    constexpr std::string_view k_plain = "attachment; filename=\"";
    constexpr std::string_view k_real = "\"; filename*=UTF-8''";
    const auto value = api::disposition(name);
    if (name.empty()) {
        POSTERN_CHECK(value == "attachment");
        return;
    }
    POSTERN_CHECK(std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; }));
    const auto at = value.find(k_real);
    POSTERN_CHECK(value.starts_with(k_plain) && at != std::string::npos);
    const auto plain = value.substr(k_plain.size(), at - k_plain.size());
    POSTERN_CHECK(plain.find_first_of("\"\\%;/") == std::string::npos);
    const auto real = value.substr(at + k_real.size());
    POSTERN_CHECK(real.find_first_of("\"; ,'") == std::string::npos);
    POSTERN_CHECK(percent_decoded(real) == name.substr(0, k_shown_bytes_max));
}

void check_html(std::string_view text) {
    constexpr std::pair<std::string_view, char> k_escapes[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
    const auto html = api::escape_html(text);
    POSTERN_CHECK(html.find_first_of("<>\"'") == std::string::npos);
    std::string again;
    for (std::string_view rest = html; !rest.empty();) {
        const auto found = std::ranges::find_if(
            k_escapes, [&](const auto& escape) { return rest.starts_with(escape.first); });
        const bool is_escape = found != std::end(k_escapes);
        POSTERN_CHECK(is_escape || rest.front() != '&');
        again += is_escape ? found->second : rest.front();
        rest.remove_prefix(is_escape ? found->first.size() : 1);
    }
    POSTERN_CHECK(again == text);
}

}  // namespace
}  // namespace postern

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const postern::FuzzInput input(data, size);
    postern::check_disposition(input.text());
    postern::check_html(input.text());
    return 0;
}
