#include "foundation/codec/mail/thread_index.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/mail/our_message_id.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace postern::codec {
namespace {

/// The upper two bytes of a FILETIME between July 2025 and June 2026: a time that clients show.
constexpr std::array<std::uint8_t, 2> k_time_begin{0x01, 0xdc};

/// FNV-1a: which time it is in that year differs from mailbox to mailbox, no more is asked of it.
std::uint32_t spread(std::string_view box) {
    std::uint32_t hash = 2'166'136'261;
    for (const char c : box)
        hash = (hash ^ static_cast<std::uint8_t>(c)) * 16'777'619;
    return hash;
}

}  // namespace

ThreadIndexForm::ThreadIndexForm(const IdLabel& label) {
    const auto hash = spread(label.box());
    std::ranges::copy(k_time_begin, time_.begin());
    for (std::size_t i = 0; i < sizeof hash; ++i)
        time_[k_time_begin.size() + i] = static_cast<std::uint8_t>(hash >> (24 - 8 * i));
    needle_ = base64(time_);
}

std::string ThreadIndexForm::text(const Thread& thread) const {
    Bytes out(time_.begin(), time_.end());
    out.insert(out.end(), thread.begin(), thread.end());
    return base64(out);
}

std::optional<ThreadIndexForm::Thread> ThreadIndexForm::thread_of(std::string_view value) const {
    if (value.size() > k_text_bytes_max) return std::nullopt;
    std::string text;
    std::ranges::copy_if(value, std::back_inserter(text),
                         [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
    if (!text.starts_with(needle_)) return std::nullopt;
    const auto bytes = parse_base64(text);
    if (!bytes || bytes->size() < k_header_bytes ||
        (bytes->size() - k_header_bytes) % k_child_bytes != 0) {
        return std::nullopt;
    }
    Thread out{};
    std::copy_n(bytes->begin() + k_time_bytes, out.size(), out.begin());
    return out;
}

}  // namespace postern::codec
