#include "features/mail/reader/charset.h"

#include "features/mail/reader/utf8_text.h"

#include <iconv.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_label_bytes_max = 64;

// What glibc calls the charset that a label (lower case, '_' as '-') means. Charsets that are
// missing are missing on purpose: each module of glibc is code that hostile bytes reach
// (ISO-2022-CN-EXT: CVE-2024-2961).
struct Charset {
    std::string_view label;
    const char* iconv_name;
};
constexpr std::array k_charsets{
    Charset{"iso-8859-1", "WINDOWS-1252"},
    Charset{"latin1", "WINDOWS-1252"},
    Charset{"l1", "WINDOWS-1252"},
    Charset{"iso8859-1", "WINDOWS-1252"},
    Charset{"windows-1252", "WINDOWS-1252"},
    Charset{"cp1252", "WINDOWS-1252"},
    Charset{"x-cp1252", "WINDOWS-1252"},
    Charset{"ansi", "WINDOWS-1252"},
    Charset{"iso-8859-2", "ISO-8859-2"},
    Charset{"latin2", "ISO-8859-2"},
    Charset{"iso-8859-3", "ISO-8859-3"},
    Charset{"iso-8859-4", "ISO-8859-4"},
    Charset{"iso-8859-5", "ISO-8859-5"},
    Charset{"iso-8859-6", "ISO-8859-6"},
    Charset{"iso-8859-6-i", "ISO-8859-6"},
    Charset{"iso-8859-7", "ISO-8859-7"},
    Charset{"iso-8859-8", "ISO-8859-8"},
    Charset{"iso-8859-8-i", "ISO-8859-8"},
    Charset{"iso-8859-9", "WINDOWS-1254"},
    Charset{"iso-8859-10", "ISO-8859-10"},
    Charset{"iso-8859-11", "CP874"},
    Charset{"tis-620", "CP874"},
    Charset{"windows-874", "CP874"},
    Charset{"iso-8859-13", "ISO-8859-13"},
    Charset{"iso-8859-14", "ISO-8859-14"},
    Charset{"iso-8859-15", "ISO-8859-15"},
    Charset{"latin-9", "ISO-8859-15"},
    Charset{"iso-8859-16", "ISO-8859-16"},
    Charset{"windows-1250", "WINDOWS-1250"},
    Charset{"cp1250", "WINDOWS-1250"},
    Charset{"windows-1251", "WINDOWS-1251"},
    Charset{"cp1251", "WINDOWS-1251"},
    Charset{"windows-1253", "WINDOWS-1253"},
    Charset{"windows-1254", "WINDOWS-1254"},
    Charset{"windows-1255", "WINDOWS-1255"},
    Charset{"windows-1256", "WINDOWS-1256"},
    Charset{"windows-1257", "WINDOWS-1257"},
    Charset{"windows-1258", "WINDOWS-1258"},
    Charset{"koi8-r", "KOI8-R"},
    Charset{"koi8-u", "KOI8-U"},
    Charset{"ibm866", "IBM866"},
    Charset{"cp866", "IBM866"},
    Charset{"ibm850", "IBM850"},
    Charset{"cp850", "IBM850"},
    Charset{"ibm437", "IBM437"},
    Charset{"cp437", "IBM437"},
    Charset{"macintosh", "MACINTOSH"},
    Charset{"x-mac-roman", "MACINTOSH"},
    Charset{"iso-2022-jp", "ISO-2022-JP"},
    Charset{"shift-jis", "CP932"},
    Charset{"sjis", "CP932"},
    Charset{"x-sjis", "CP932"},
    Charset{"cp932", "CP932"},
    Charset{"windows-31j", "CP932"},
    Charset{"euc-jp", "EUC-JP"},
    Charset{"gb18030", "GB18030"},
    Charset{"gbk", "GB18030"},
    Charset{"gb2312", "GB18030"},
    Charset{"cp936", "GB18030"},
    Charset{"hz-gb-2312", "GB18030"},
    Charset{"big5", "BIG5"},
    Charset{"cp950", "BIG5"},
    Charset{"euc-kr", "CP949"},
    Charset{"ks-c-5601-1987", "CP949"},
    Charset{"cp949", "CP949"},
    Charset{"iso-2022-kr", "ISO-2022-KR"},
    Charset{"utf-16", "UTF-16"},
    Charset{"utf-16le", "UTF-16LE"},
    Charset{"utf-16be", "UTF-16BE"},
    Charset{"utf-32", "UTF-32"},
    Charset{"utf-7", "UTF-7"},
    Charset{"unicode-1-1-utf-7", "UTF-7"},
};

constexpr std::string_view k_guess_label = "windows-1252";

class Converter {
public:
    explicit Converter(const char* name) : handle_(iconv_open("UTF-8", name)) {}
    ~Converter() {
        if (is_open()) iconv_close(handle_);
    }
    Converter(Converter&& other) noexcept : handle_(other.handle_) { other.handle_ = closed(); }
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    Converter& operator=(Converter&&) = delete;

    [[nodiscard]] bool is_open() const { return handle_ != closed(); }
    Utf8Text convert(std::string_view bytes);

private:
    // What iconv_open answers when it fails is (iconv_t)-1.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    static iconv_t closed() { return reinterpret_cast<iconv_t>(-1); }
    iconv_t handle_;
};

Utf8Text Converter::convert(std::string_view bytes) {
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    Utf8Text result;
    result.text.reserve(bytes.size());
    std::array<char, 4096> buffer{};
    char* in = const_cast<char*>(bytes.data());  // NOLINT: iconv's signature, it writes nothing
    std::size_t in_left = bytes.size();
    for (bool flushing = false;;) {
        char* out = buffer.data();
        std::size_t out_left = buffer.size();
        const std::size_t done = flushing ? iconv(handle_, nullptr, nullptr, &out, &out_left)
                                          : iconv(handle_, &in, &in_left, &out, &out_left);
        const int error = errno;
        result.text.append(buffer.data(), buffer.size() - out_left);
        if (done != static_cast<std::size_t>(-1)) {
            if (flushing) break;
            flushing = true;
        } else if (error != E2BIG) {
            result.broken = true;
            append_utf8(result.text, k_replacement);
            if (error != EILSEQ || in_left == 0) break;
            ++in;
            --in_left;
        }
    }
    if (result.text.starts_with("\xEF\xBB\xBF")) result.text.erase(0, 3);
    result.text = repaired_utf8(result.text);
    return result;
}

// One converter per name; the order is that of k_charsets.
class Converters {
public:
    Converters() {
        list_.reserve(k_charsets.size());
        for (const Charset& charset : k_charsets) {
            const auto same = std::ranges::find(
                k_charsets, std::string_view(charset.iconv_name),
                [](const Charset& other) { return std::string_view(other.iconv_name); });
            const auto index = static_cast<std::size_t>(same - k_charsets.begin());
            slots_.push_back(index < slots_.size() ? slots_[index] : list_.size());
            if (index + 1 == slots_.size()) list_.emplace_back(charset.iconv_name);
        }
    }

    Converter* find(std::string_view label) {
        const auto found = std::ranges::find(k_charsets, label, &Charset::label);
        if (found == k_charsets.end()) return nullptr;
        Converter& converter = list_[slots_[static_cast<std::size_t>(found - k_charsets.begin())]];
        return converter.is_open() ? &converter : nullptr;
    }

private:
    std::vector<Converter> list_;
    std::vector<std::size_t> slots_;
};

Converters& converters() {
    static Converters held;
    return held;
}

std::string normal_label(std::string_view label) {
    label = trimmed(label);
    while (!label.empty() && (label.front() == '"' || label.front() == '\''))
        label.remove_prefix(1);
    while (!label.empty() && (label.back() == '"' || label.back() == '\''))
        label.remove_suffix(1);
    if (label.size() > k_label_bytes_max) return "?";
    std::string normal = lower_case(label);
    std::ranges::replace(normal, '_', '-');
    return normal;
}

Utf8Text guessed(std::string_view bytes, bool charset_known) {
    if (is_valid_utf8(bytes)) return {repaired_utf8(bytes), charset_known, false};
    Converter* converter = converters().find(k_guess_label);
    Utf8Text result = converter != nullptr ? converter->convert(bytes)
                                           : Utf8Text{repaired_utf8(bytes), false, true};
    result.charset_known = charset_known;
    return result;
}

}  // namespace

void warm_up() {
    // The first conversion loads what opening left out.
    for (const Charset& charset : k_charsets)
        (void)to_utf8("a", charset.label);
}

Utf8Text to_utf8(std::string_view bytes, std::string_view label) {
    const std::string normal = normal_label(label);
    if (normal.empty() || normal == "us-ascii" || normal == "ascii") return guessed(bytes, true);
    if (normal == "utf-8" || normal == "utf8") {
        const bool broken = !is_valid_utf8(bytes);
        if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
        return {repaired_utf8(bytes), true, broken};
    }
    Converter* converter = converters().find(normal);
    return converter != nullptr ? converter->convert(bytes) : guessed(bytes, false);
}

}  // namespace postern::reader
