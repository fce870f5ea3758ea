#include "features/mail/reader/encoded_word.h"

#include "features/mail/reader/charset.h"
#include "features/mail/reader/defect.h"
#include "features/mail/reader/transfer_encoding.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/bytes.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace postern::reader {
namespace {

constexpr std::size_t k_charset_bytes_max = 64;
// RFC 2047 allows 75; real mailers exceed it, but a bound keeps the search for the end linear.
constexpr std::size_t k_word_bytes_max = 4096;

struct EncodedWord {
    std::string_view charset;
    char encoding = 0;  // 'b' or 'q'
    std::string_view text;
    std::size_t size = 0;  // 0 = no word
};

EncodedWord word_at(std::string_view text) {
    if (!text.starts_with("=?")) return {};
    const std::string_view head = text.substr(2, k_charset_bytes_max + 1);
    const std::size_t mark = head.find('?');
    if (mark == std::string_view::npos || mark == 0) return {};
    EncodedWord word;
    word.charset = head.substr(0, std::min(mark, head.find('*')));  // RFC 2231: "*language"
    const bool clean =
        std::ranges::none_of(word.charset, [](char c) { return c <= ' ' || c == '='; });
    const std::size_t at = 2 + mark + 1;
    if (!clean || at + 2 > text.size() || text[at + 1] != '?') return {};
    word.encoding = to_lower(text[at]);
    if (word.encoding != 'b' && word.encoding != 'q') return {};
    const std::string_view rest = text.substr(at + 2, k_word_bytes_max);
    const std::size_t end = rest.find("?=");
    if (end == std::string_view::npos) return {};
    word.text = rest.substr(0, end);
    word.size = at + 2 + end + 2;
    return word;
}

std::string word_bytes(const EncodedWord& word, Defects& defects) {
    std::string text(word.text);
    if (word.encoding == 'q') std::ranges::replace(text, '_', ' ');
    const auto encoding =
        word.encoding == 'b' ? TransferEncoding::base64 : TransferEncoding::quoted_printable;
    // A "." keeps a trailing space from being taken for transport padding.
    if (word.encoding == 'q') text.push_back('.');
    DecodedBody decoded = decode_body(text, encoding, k_word_bytes_max);
    if (word.encoding == 'q') decoded.bytes.pop_back();
    if (decoded.broken) defects.add(Defect::transfer_encoding_broken);
    return std::string(as_text(decoded.bytes));
}

// Words of one charset that follow each other are converted together: some mailers cut within a
// character.
class HeaderText {
public:
    explicit HeaderText(Defects& defects) : defects_(defects) {}

    void add_word(const EncodedWord& word) {
        const std::string charset = lower_case(word.charset);
        if (charset != charset_) flush();
        charset_ = charset;
        pending_ += word_bytes(word, defects_);
    }
    void add_plain(std::string_view text) {
        if (text.empty()) return;
        flush();
        out_ += to_utf8(text, "").text;
    }
    std::string take() {
        flush();
        return std::move(out_);
    }

private:
    void flush() {
        if (pending_.empty()) return;
        Utf8Text text = to_utf8(pending_, charset_);
        if (!text.charset_known) defects_.add(Defect::charset_unknown);
        if (text.broken) defects_.add(Defect::charset_broken);
        out_ += text.text;
        pending_.clear();
    }

    Defects& defects_;
    std::string out_;
    std::string pending_;
    std::string charset_;
};

}  // namespace

std::size_t encoded_word_size(std::string_view text) {
    return word_at(text).size;
}

std::string decode_header_text(std::string_view raw, Defects& defects) {
    HeaderText out(defects);
    bool after_word = false;
    while (!raw.empty()) {
        const std::size_t at = std::min(raw.find("=?"), raw.size());
        const EncodedWord word = word_at(raw.substr(at));
        if (word.size == 0) {
            const std::size_t plain = std::min(at + 2, raw.size());
            out.add_plain(raw.substr(0, plain));
            raw.remove_prefix(plain);
            after_word = false;
            continue;
        }
        const std::string_view gap = raw.substr(0, at);
        // RFC 2047 section 6.2: white space between two words is not shown.
        if (!after_word || !trimmed(gap).empty()) out.add_plain(gap);
        out.add_word(word);
        raw.remove_prefix(at + word.size);
        after_word = true;
    }
    return out.take();
}

}  // namespace postern::reader
