#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace postern::store {

/// Literals as one, for a condition that several statements share.
template <std::size_t... N>
[[nodiscard]] consteval auto joined(const char (&... literals)[N]) {
    std::array<char, (N + ...) - sizeof...(N) + 1> text{};
    std::size_t at = 0;
    const auto add = [&text, &at](const char* literal, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            text[at++] = literal[i];
    };
    (add(literals, N - 1), ...);
    return text;
}

/// One SQL statement, made from a string literal only: no input ever becomes part of it.
/// Parameters are `$1` to `$n`, each used at least once, in any order.
class SqlText {
public:
    template <std::size_t N>
    consteval SqlText(const char (&literal)[N]) : text_(literal, N - 1) {
        check();
    }
    /// Of joined(). Lifetime: a constant.
    template <std::size_t N>
    consteval SqlText(const std::array<char, N>& literals) : text_(literals.data(), N - 1) {
        check();
    }

    [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }

private:
    consteval void check() const {
        for (const char c : text_) {
            if (c == '\0' || c == '?') throw "NUL and ? are refused: parameters are $1..$n";
        }
    }

    std::string_view text_;
};

}  // namespace postern::store
