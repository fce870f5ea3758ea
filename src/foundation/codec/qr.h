#pragma once

#include "foundation/base/secret.h"

#include <cstddef>

namespace postern::codec {

/// A QR code (ISO/IEC 18004) as a square of modules.
class QrCode {
public:
    /// Of a text of at most 1,000 digits, letters and the characters `$%*+-./: `; small letters
    /// become capital ones, which takes the fewest modules. Error correction M: 15 % may be lost.
    /// Secret: the library's working copies are freed, not wiped; make one in a process that ends.
    [[nodiscard]] static QrCode of(const Secret& text);
    /// Of at most 1,000 bytes as they stand. In a process that goes on, the library's working
    /// copies stay in freed memory until it is used again.
    [[nodiscard]] static QrCode of_bytes(const Secret& bytes);

    [[nodiscard]] std::size_t width() const noexcept { return width_; }
    [[nodiscard]] bool is_dark(std::size_t x, std::size_t y) const;

    /// As a picture of its own, with the light margin that readers need. Holds no double quote and
    /// no backslash.
    [[nodiscard]] Secret svg() const;

private:
    template <typename Encoded>
    explicit QrCode(const Encoded& code);

    std::size_t width_ = 0;
    Secret modules_;  ///< by rows, 1 is dark
};

}  // namespace postern::codec
