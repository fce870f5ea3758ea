// Oracle: decoding encoded words keeps to its bound; text made fit to be shown is valid UTF-8
// without control characters, within its bound, and stays as it is when it is made so again.
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/encoded_word.h"

#include <algorithm>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::codec;
    postern::FuzzInput input(data, size);
    const std::size_t room = input.byte();
    const auto text = input.text();
    const auto decoded = decode_words(text);
    POSTERN_CHECK(decoded.size() <= 2 * text.size());
    if (!text.contains("=?")) POSTERN_CHECK(decoded == text);
    const auto shown = clean_text(decoded, room);
    POSTERN_CHECK(shown.size() <= room && std::ranges::none_of(shown, is_control));
    POSTERN_CHECK(clean_text(shown, room) == shown);
    POSTERN_CHECK(clean_text(shown + "\xff", room + 8) != shown || shown.empty() ||
                  shown.size() + 3 > room + 8);
    POSTERN_CHECK(equal_but_for_case(lower(text), text) && lower(lower(text)) == lower(text));
    return 0;
}
