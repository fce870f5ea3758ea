// Oracle: every line of the text is in the new part or in the history, in its order, and nothing
// else is; text of a body stays as it is.
#include "features/mail/reader/quoted_text.h"

#include "features/mail/reader/utf8_text.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

/// Without what separates parts: blank lines and blanks.
std::string solid(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!postern::reader::is_space(c)) out += c;
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    const auto text = body_text(postern::FuzzInput(data, size).text());
    const auto split = split_quoted(text);
    POSTERN_CHECK(is_valid_utf8(split.new_text) && is_valid_utf8(split.quoted_text));
    POSTERN_CHECK(text.contains(split.new_text) || split.new_text.empty());
    const auto whole = solid(text);
    const auto above = solid(split.new_text) + solid(split.quoted_text);
    const auto below = solid(split.quoted_text) + solid(split.new_text);
    POSTERN_CHECK(whole == above || whole == below);
    return 0;
}
