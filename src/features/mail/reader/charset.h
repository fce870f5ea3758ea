#pragma once

#include <string>
#include <string_view>

namespace postern::reader {

/// Opens and keeps the converters of every charset the reader decodes. Call it before the process
/// is fenced: afterwards nothing here opens a file (glibc loads a module at each first use).
/// Executor: one thread for all of this module; converters are kept per process.
void warm_up();

struct Utf8Text {
    std::string text;           ///< valid UTF-8 without NUL
    bool charset_known = true;  ///< false: guessed as UTF-8 if valid, else windows-1252
    bool broken = false;        ///< some bytes had no meaning and became U+FFFD
};

/// `label` as a mail declares it ("ISO-8859-1", "cp1252", empty). Labels mean what they mean to
/// browsers: "iso-8859-1" and "us-ascii" are read as windows-1252, "gb2312" as GB18030.
[[nodiscard]] Utf8Text to_utf8(std::string_view bytes, std::string_view label);

}  // namespace postern::reader
