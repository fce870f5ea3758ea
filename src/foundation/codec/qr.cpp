#include "foundation/codec/qr.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/secret.h"

#include <qrencode.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

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

}  // namespace

QrCode QrCode::of(const Secret& text) {
    const std::unique_ptr<QRinput, FreeInput> input(QRinput_new2(0, QR_ECLEVEL_M));
    POSTERN_CHECK(input != nullptr);
    const int appended = in_capitals(text).with_bytes([&](ByteView bytes) {
        return QRinput_append(input.get(), QR_MODE_AN, static_cast<int>(bytes.size()),
                              bytes.data());
    });
    POSTERN_CHECK(appended == 0);
    const std::unique_ptr<QRcode, FreeCode> code(QRcode_encodeInput(input.get()));
    POSTERN_CHECK(code != nullptr);
    QrCode made;
    made.width_ = static_cast<std::size_t>(code->width);
    made.modules_ = Secret::of_size(made.width_ * made.width_);
    made.modules_.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        // The other bits say what a module is for.
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = code->data[i] & 1U;
    });
    return made;
}

bool QrCode::is_dark(std::size_t x, std::size_t y) const {
    return modules_.with_bytes([&](ByteView modules) { return modules[y * width_ + x] == 1; });
}

}  // namespace postern::codec
