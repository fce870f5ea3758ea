// Oracle: header text is valid UTF-8, whatever the charset; words that glibc's iconv makes are read
// as what they say; a line for display keeps to its room and stays as it is.
#include "features/mail/reader/charset.h"
#include "features/mail/reader/encoded_word.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <array>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    postern::reader::warm_up();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    constexpr std::array k_labels{
        "utf-8",     "iso-8859-1", "windows-1252", "iso-2022-jp", "gb18030",
        "shift_jis", "koi8-r",     "utf-16",       "utf-7",       ""};
    postern::FuzzInput input(data, size);
    const std::string label = k_labels[input.byte() % k_labels.size()];
    const std::size_t room = input.byte();
    const auto raw = input.text();
    Defects defects;
    POSTERN_CHECK(encoded_word_size(raw) <= raw.size());
    const auto text = decode_header_text(raw, defects);
    POSTERN_CHECK(is_valid_utf8(text) && !text.contains('\0'));
    const auto converted = to_utf8(raw, label);
    POSTERN_CHECK(is_valid_utf8(converted.text) && !converted.text.contains('\0'));
    const auto shown = display_line(text, room);
    POSTERN_CHECK(shown.size() <= room && display_line(shown, room) == shown);
    POSTERN_CHECK(body_text(body_text(raw)) == body_text(raw));
    POSTERN_CHECK(repaired_utf8(repaired_utf8(raw)) == repaired_utf8(raw));
    const auto name = safe_file_name(raw);
    POSTERN_CHECK(safe_file_name(name) == name && name.size() <= 180);
    // A Q word says its bytes.
    std::string word = "=?utf-8?q?";
    for (const char c : shown) {
        constexpr const char* k_digits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(c);
        word.append("=").append(1, k_digits[byte >> 4U]).append(1, k_digits[byte & 15U]);
    }
    Defects none;
    if (!shown.empty()) POSTERN_CHECK(decode_header_text(word + "?=", none) == shown);
    return 0;
}
