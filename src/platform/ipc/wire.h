#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace postern::ipc {

/// The binary form of messages between our own processes: integers little-endian, everything of
/// variable length behind a 32-bit count. A struct takes part by `auto wire() { return
/// std::tie(a, b); }`. Not stored anywhere and never read by another version, so it has no version.
///
/// Decoding checks every length against what is left; nothing is allocated on a promise.
class Encoder {
public:
    [[nodiscard]] WipedBytes& bytes() noexcept { return out_; }
    [[nodiscard]] std::vector<os::Fd>& files() noexcept { return files_; }

    template <typename T>
    void put(T& value) {
        if constexpr (std::is_enum_v<T>) {
            auto number = static_cast<std::underlying_type_t<T>>(value);
            put(number);
        } else if constexpr (std::is_integral_v<T>) {
            put_integer(static_cast<std::uint64_t>(value), sizeof(T));
        } else if constexpr (requires { value.wire(); }) {
            std::apply([&](auto&... fields) { (put(fields), ...); }, value.wire());
        } else {
            put_value(value);
        }
    }

private:
    void put_integer(std::uint64_t value, std::size_t bytes);
    void put_counted(ByteView bytes);
    void put_value(const Bytes& value) { put_counted(value); }
    void put_value(const std::string& value) { put_counted(as_bytes(value)); }
    void put_value(const Secret& value) {
        value.with_bytes([this](ByteView bytes) { put_counted(bytes); });
    }
    void put_value(os::Fd& value);
    template <typename Tag>
    void put_value(const Id<Tag>& value) {
        out_.append(value.bytes());
    }
    template <typename T>
    void put_value(std::vector<T>& value) {
        put_integer(value.size(), 4);
        for (auto& item : value)
            put(item);
    }
    template <typename T>
    void put_value(std::optional<T>& value) {
        put_integer(value.has_value() ? 1 : 0, 1);
        if (value) put(*value);
    }

    WipedBytes out_;
    std::vector<os::Fd> files_;
};

class Decoder {
public:
    Decoder(ByteView in, std::vector<os::Fd> files) : in_(in), files_(std::move(files)) {}

    /// False, and for good, once the bytes do not fit.
    template <typename T>
    bool get(T& value) {
        if constexpr (std::is_enum_v<T>) {
            std::underlying_type_t<T> number{};
            if (!get(number)) return false;
            value = static_cast<T>(number);
            return true;
        } else if constexpr (std::is_integral_v<T>) {
            std::uint64_t number = 0;
            if (!get_integer(number, sizeof(T))) return false;
            if (std::is_same_v<T, bool> && number > 1) return good_ = false;
            value = static_cast<T>(number);
            return true;
        } else if constexpr (requires { value.wire(); }) {
            return std::apply([&](auto&... fields) { return (get(fields) && ...); }, value.wire());
        } else {
            return get_value(value);
        }
    }

    /// All bytes and descriptors were asked for.
    [[nodiscard]] bool finished() const noexcept {
        return good_ && in_.empty() && next_file_ == files_.size();
    }

private:
    bool get_integer(std::uint64_t& value, std::size_t bytes);
    bool get_counted(ByteView& bytes);
    bool get_value(Bytes& value);
    bool get_value(std::string& value);
    bool get_value(Secret& value);
    bool get_value(os::Fd& value);
    template <typename Tag>
    bool get_value(Id<Tag>& value) {
        if (in_.size() < 16) return good_ = false;
        const auto id = Id<Tag>::from_bytes(in_.first(16));
        if (!id) return good_ = false;
        value = *id;
        in_ = in_.subspan(16);
        return true;
    }
    template <typename T>
    bool get_value(std::vector<T>& value) {
        std::uint64_t count = 0;
        // Every item takes at least one byte, which bounds what a count can make us allocate.
        if (!get_integer(count, 4) || count > in_.size()) return good_ = false;
        value.clear();
        for (std::uint64_t i = 0; i < count; ++i) {
            T item{};
            if (!get(item)) return false;
            value.push_back(std::move(item));
        }
        return true;
    }
    template <typename T>
    bool get_value(std::optional<T>& value) {
        std::uint64_t present = 0;
        if (!get_integer(present, 1) || present > 1) return good_ = false;
        value.reset();
        if (present == 0) return true;
        T item{};
        if (!get(item)) return false;
        value = std::move(item);
        return true;
    }

    ByteView in_;
    std::vector<os::Fd> files_;
    std::size_t next_file_ = 0;
    bool good_ = true;
};

}  // namespace postern::ipc
