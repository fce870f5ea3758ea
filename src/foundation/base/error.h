#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern {

/// Text that an outsider may see. It can be made from a string literal only, so that no input,
/// address or secret ever becomes part of it.
class PublicText {
public:
    template <std::size_t N>
    consteval PublicText(const char (&literal)[N]) : text_(literal, N - 1) {}

    [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }

private:
    std::string_view text_;
};

/// What is fixed about one enumerator of a module's error enum.
struct ErrorInfo {
    PublicText code;  ///< stable, snake_case, part of the API
    PublicText text;  ///< one sentence for people
};

/// A module's error enum: `constexpr ErrorInfo describe(E)` is found by argument-dependent look-up.
template <typename E>
concept ErrorEnum = std::is_enum_v<E> && requires(E e) {
    { describe(e) } -> std::same_as<ErrorInfo>;
};

/// Something a user, peer, disk, database or clock caused. Travels in Result<T>.
///
/// code() and text() may reach a client; detail() is for logs of the operator only and has no
/// conversion to any answer. Never put a secret, an address or mail content into the detail.
class Error {
public:
    template <ErrorEnum E>
    Error(E code, std::string detail = {})
        : info_(describe(code)),
          domain_(&k_domain<E>),
          value_(static_cast<std::int32_t>(code)),
          detail_(std::move(detail)) {}

    template <ErrorEnum E>
    [[nodiscard]] bool is(E code) const noexcept {
        return domain_ == &k_domain<E> && value_ == static_cast<std::int32_t>(code);
    }

    /// The enumerator, where this is an error of that module.
    template <ErrorEnum E>
    [[nodiscard]] std::optional<E> as() const noexcept {
        if (domain_ != &k_domain<E>) return std::nullopt;
        return static_cast<E>(value_);
    }

    [[nodiscard]] std::string_view code() const noexcept { return info_.code.view(); }
    [[nodiscard]] std::string_view text() const noexcept { return info_.text.view(); }
    [[nodiscard]] const std::string& detail() const noexcept { return detail_; }

    /// Seconds after which the caller may try again; 0 where waiting does not help.
    [[nodiscard]] std::int64_t retry_after_s() const noexcept { return retry_after_s_; }
    [[nodiscard]] Error with_retry_after(std::int64_t seconds) && {
        retry_after_s_ = seconds;
        return std::move(*this);
    }

private:
    template <typename E>
    static constexpr char k_domain = 0;

    ErrorInfo info_;
    const char* domain_;
    std::int32_t value_;
    std::int64_t retry_after_s_ = 0;
    std::string detail_;
};

}  // namespace postern
