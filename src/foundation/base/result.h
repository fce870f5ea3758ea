#pragma once

#include "foundation/base/error.h"

#include <expected>
#include <utility>

namespace postern {

/// Every fallible call that the outside world can make fail returns one.
template <typename T = void>
using Result = std::expected<T, Error>;

/// `return fail(VaultError::wrong_secret);`
template <ErrorEnum E>
[[nodiscard]] std::unexpected<Error> fail(E code, std::string detail = {}) {
    return std::unexpected<Error>(Error(code, std::move(detail)));
}

/// `return fail(other.error());`
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
    return std::unexpected<Error>(std::move(error));
}

}  // namespace postern

/// `POSTERN_TRY(auto key, find_key(id));` returns the error to the caller or declares the value.
/// The name of the temporary is built from __COUNTER__-free __LINE__: one per line.
#define POSTERN_TRY_JOIN(a, b) a##b
#define POSTERN_TRY_AS(leave, temporary, declaration, ...)                                 \
    auto temporary = (__VA_ARGS__);                                                        \
    if (!temporary) leave std::unexpected<::postern::Error>(std::move(temporary.error())); \
    declaration = std::move(*temporary)
#define POSTERN_TRY_NAME(line) POSTERN_TRY_JOIN(postern_try_, line)
#define POSTERN_TRY(declaration, ...) \
    POSTERN_TRY_AS(return, POSTERN_TRY_NAME(__LINE__), declaration, __VA_ARGS__)
#define POSTERN_CO_TRY(declaration, ...) \
    POSTERN_TRY_AS(co_return, POSTERN_TRY_NAME(__LINE__), declaration, __VA_ARGS__)
