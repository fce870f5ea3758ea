#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

/// Bytes that are not secret: ciphertext, public keys, mails on their way to a seal.
using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline Bytes to_bytes(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}
[[nodiscard]] inline Bytes to_bytes(std::string_view text) {
    return to_bytes(as_bytes(text));
}

/// Overwrites memory in a way the compiler may not leave out.
void wipe(void* data, std::size_t size) noexcept;

/// A growing buffer that a secret may pass through (an IPC frame, a request body): whatever it
/// gives up, by growing, shrinking or going away, is wiped. Move-only; the part of std::vector's
/// interface that buffers need.
class WipedBytes {
public:
    using value_type = std::uint8_t;
    using iterator = std::uint8_t*;
    using const_iterator = const std::uint8_t*;

    WipedBytes() noexcept = default;
    explicit WipedBytes(std::size_t size, std::uint8_t fill = 0) { resize(size, fill); }
    WipedBytes(WipedBytes&& other) noexcept { swap(other); }
    WipedBytes& operator=(WipedBytes&& other) noexcept {
        swap(other);
        other.release();
        return *this;
    }
    WipedBytes(const WipedBytes&) = delete;
    WipedBytes& operator=(const WipedBytes&) = delete;
    ~WipedBytes() { release(); }

    [[nodiscard]] std::uint8_t* data() noexcept { return data_; }
    [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] iterator begin() noexcept { return data_; }
    [[nodiscard]] iterator end() noexcept { return data_ + size_; }
    [[nodiscard]] const_iterator begin() const noexcept { return data_; }
    [[nodiscard]] const_iterator end() const noexcept { return data_ + size_; }
    [[nodiscard]] std::uint8_t& operator[](std::size_t at) noexcept { return data_[at]; }
    [[nodiscard]] const std::uint8_t& operator[](std::size_t at) const noexcept {
        return data_[at];
    }
    [[nodiscard]] std::uint8_t back() const noexcept { return data_[size_ - 1]; }

    void reserve(std::size_t capacity);
    void resize(std::size_t size, std::uint8_t fill = 0);
    /// Wipes what was there; keeps the memory.
    void clear() noexcept;
    void push_back(std::uint8_t byte) {
        if (size_ == capacity_) grow(size_ + 1);
        data_[size_++] = byte;
    }
    void append(ByteView bytes);
    void append(std::string_view text) { append(as_bytes(text)); }
    void assign(ByteView bytes) {
        clear();
        append(bytes);
    }
    /// Takes the first `count` bytes away and wipes where the rest was.
    void erase_front(std::size_t count) noexcept;
    void swap(WipedBytes& other) noexcept;

private:
    void grow(std::size_t needed);
    void release() noexcept;

    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace postern
