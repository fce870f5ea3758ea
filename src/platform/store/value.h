#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace postern::store {

/// Ciphertext or a wrapped key: what personal data and secrets become before they are stored.
class SealedBytes {
public:
    SealedBytes() = default;
    explicit SealedBytes(Bytes bytes) : bytes_(std::move(bytes)) {}

    [[nodiscard]] ByteView view() const noexcept { return bytes_; }
    [[nodiscard]] Bytes take() && { return std::move(bytes_); }
    bool operator==(const SealedBytes&) const = default;

private:
    Bytes bytes_;
};

/// Says at the place of writing: this is neither personal data nor a secret (a hash, a MAC, a
/// public key, a random label, the name of a state). Lifetime: a view, as Value is.
class Clear {
public:
    [[nodiscard]] static Clear text(std::string_view text) { return Clear(text); }
    [[nodiscard]] static Clear bytes(ByteView bytes) { return Clear(bytes); }

private:
    friend class Value;
    using Content = std::variant<std::string_view, ByteView>;
    explicit Clear(Content content) : content_(content) {}
    Content content_;
};

template <typename T>
concept StoredInteger = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                        (std::signed_integral<T> || sizeof(T) < sizeof(std::int64_t));

/// What may be bound to a parameter. There is no way in for std::string, Bytes or Secret, so that
/// plain text is not stored by accident. nullopt is NULL.
///
/// Lifetime: views its source; made only as an argument of Transaction's calls.
class Value {
public:
    using Content = std::variant<std::monostate, std::int64_t, std::string_view, ByteView>;

    Value(std::nullopt_t) {}
    template <StoredInteger T>
    Value(T value) : content_(static_cast<std::int64_t>(value)) {}
    template <std::same_as<bool> T>
    Value(T value) : content_(std::int64_t{value}) {}
    template <typename Tag>
    Value(const Id<Tag>& id) : content_(id.bytes()) {}
    Value(const SealedBytes& sealed) : content_(sealed.view()) {}
    Value(Clear clear) {
        std::visit([this](auto content) { content_ = content; }, clear.content_);
    }
    template <typename T>
        requires std::constructible_from<Value, const T&>
    Value(const std::optional<T>& value) {
        if (value) content_ = Value(*value).content_;
    }

    [[nodiscard]] const Content& content() const noexcept { return content_; }

private:
    Content content_;
};

}  // namespace postern::store
