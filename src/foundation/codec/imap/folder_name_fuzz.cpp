// Oracle: a name has one form in each direction; glibc reads the wire form as the same (its
// UTF-7-IMAP, which accepts more).
#include "foundation/codec/imap/folder_name.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/imap/modified_utf7.h"

#include <iconv.h>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::string by_glibc(std::string_view wire) {
    static const iconv_t converter = ::iconv_open("UTF-8", "UTF-7-IMAP");
    std::string in(wire);
    std::string out(wire.size() * 4 + 4, '\0');
    char* from = in.data();
    char* to = out.data();
    std::size_t from_left = in.size();
    std::size_t to_left = out.size();
    ::iconv(converter, nullptr, nullptr, nullptr, nullptr);
    POSTERN_CHECK(::iconv(converter, &from, &from_left, &to, &to_left) != std::size_t(-1));
    out.resize(out.size() - to_left);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::imap;
    const auto text = postern::FuzzInput(data, size).text();
    if (const auto utf8 = from_modified_utf7(text)) {
        POSTERN_CHECK(to_modified_utf7(*utf8) == text);
        POSTERN_CHECK(by_glibc(text) == *utf8);
    }
    if (const auto wire = to_modified_utf7(text)) POSTERN_CHECK(from_modified_utf7(*wire) == text);
    if (const auto name = FolderName::from_wire(text)) {
        POSTERN_CHECK(name->wire() == text);
        POSTERN_CHECK(text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos);
    }
    if (const auto name = FolderName::from_utf8(text)) POSTERN_CHECK(name->utf8() == text);
    return 0;
}
