// Oracle: a parameter of plain characters is found when it is put behind any value, or split by
// RFC 2231; texts are valid UTF-8.
#include "features/mail/reader/header_params.h"

#include "features/mail/reader/charset.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    postern::reader::warm_up();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    const auto raw = postern::FuzzInput(data, size).text();
    Defects defects;
    const auto params = HeaderParams::parse(raw);
    POSTERN_CHECK(lower_case(params.value()) == params.value());
    for (const auto* name : {"name", "filename", "charset", "boundary"}) {
        POSTERN_CHECK(is_valid_utf8(params.text(name, defects)));
        POSTERN_CHECK(params.bytes(name).size() <= raw.size());
    }
    // Told back in each of the forms that a sender may choose, it is the same name.
    const auto name = safe_file_name(params.text("filename", defects));
    std::string percent;
    for (const char c : name) {
        constexpr const char* k_digits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(c);
        percent.append("%").append(1, k_digits[byte >> 4U]).append(1, k_digits[byte & 15U]);
    }
    const auto half = percent.size() / 6 * 3;
    const auto whole = HeaderParams::parse("attachment; filename*=utf-8''" + percent);
    const auto split =
        HeaderParams::parse("attachment; filename*0*=utf-8''" + percent.substr(0, half) +
                            "; filename*1*=" + percent.substr(half));
    POSTERN_CHECK(whole.value() == "attachment");
    POSTERN_CHECK(whole.text("filename", defects) == name);
    POSTERN_CHECK(split.text("filename", defects) == name);
    return 0;
}
