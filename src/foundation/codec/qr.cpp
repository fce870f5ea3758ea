#include "foundation/codec/qr.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/secret.h"

#include <qrencode.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace postern::codec {
namespace {

struct FreeInput {
    void operator()(QRinput* input) const { QRinput_free(input); }
};
struct FreeCode {
    void operator()(QRcode* code) const {
        wipe(code->data,
             static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width));
        QRcode_free(code);
    }
};

Secret in_capitals(const Secret& text) {
    auto capitals = text.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
    capitals.with_mutable_bytes([](std::span<std::uint8_t> bytes) {
        for (auto& c : bytes) {
            if (c >= 'a' && c <= 'z') c = static_cast<std::uint8_t>(c - 32);
        }
    });
    return capitals;
}

using Code = std::unique_ptr<QRcode, FreeCode>;

Code encode(const Secret& text, QRencodeMode mode) {
    const std::unique_ptr<QRinput, FreeInput> input(QRinput_new2(0, QR_ECLEVEL_M));
    POSTERN_CHECK(input != nullptr);
    const int appended = text.with_bytes([&](ByteView bytes) {
        return QRinput_append(input.get(), mode, static_cast<int>(bytes.size()), bytes.data());
    });
    POSTERN_CHECK(appended == 0);
    Code code(QRcode_encodeInput(input.get()));
    POSTERN_CHECK(code != nullptr);
    return code;
}

}  // namespace

QrCode QrCode::of(const Secret& text) {
    return QrCode(*encode(in_capitals(text), QR_MODE_AN));
}

QrCode QrCode::of_bytes(const Secret& bytes) {
    return QrCode(*encode(bytes, QR_MODE_8));
}

template <typename Encoded>
QrCode::QrCode(const Encoded& code)
    : width_(static_cast<std::size_t>(code.width)), modules_(Secret::of_size(width_ * width_)) {
    modules_.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        // The other bits say what a module is for.
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = code.data[i] & 1U;
    });
}

bool QrCode::is_dark(std::size_t x, std::size_t y) const {
    return modules_.with_bytes([&](ByteView modules) { return modules[y * width_ + x] == 1; });
}

Secret QrCode::svg() const {
    constexpr std::size_t k_margin = 4;
    // "M199 199h199v1h-199z" is the longest run.
    constexpr std::size_t k_run_bytes_max = 21;
    const auto side = std::to_string(width_ + 2 * k_margin);
    std::string out;
    out.reserve(256 + width_ * (width_ / 2 + 1) * k_run_bytes_max);
    out += "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " + side + " " + side +
           "' shape-rendering='crispEdges'><rect width='100%' height='100%' fill='#fff'/><path "
           "fill='#000' d='";
    for (std::size_t y = 0; y < width_; ++y) {
        for (std::size_t x = 0; x < width_; ++x) {
            if (!is_dark(x, y)) continue;
            const auto from = x;
            while (x < width_ && is_dark(x, y))
                ++x;
            const auto run = std::to_string(x - from);
            out.append("M").append(std::to_string(from + k_margin)).append(" ");
            out.append(std::to_string(y + k_margin)).append("h").append(run).append("v1h-");
            out.append(run).append("z");
        }
    }
    out += "'/></svg>";
    return Secret::take(out);
}

}  // namespace postern::codec
