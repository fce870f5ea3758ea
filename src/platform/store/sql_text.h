#pragma once

#include <cstddef>
#include <string_view>

namespace postern::store {

/// One SQL statement, made from a string literal only: no input ever becomes part of it.
/// Parameters are `$1` to `$n`, each used at least once, in any order.
class SqlText {
public:
    template <std::size_t N>
    consteval SqlText(const char (&literal)[N]) : text_(literal, N - 1) {
        for (const char c : text_) {
            if (c == '\0' || c == '?') throw "NUL and ? are refused: parameters are $1..$n";
        }
    }

    [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }

private:
    std::string_view text_;
};

}  // namespace postern::store
