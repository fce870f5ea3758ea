#include "foundation/base/bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace postern {

void wipe(void* data, std::size_t size) noexcept {
    if (size != 0) explicit_bzero(data, size);
}

void WipedBytes::reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    auto* fresh = new std::uint8_t[capacity];
    if (size_ != 0) std::memcpy(fresh, data_, size_);
    wipe(data_, size_);
    delete[] data_;
    data_ = fresh;
    capacity_ = capacity;
}

void WipedBytes::grow(std::size_t needed) {
    if (needed > capacity_) reserve(std::max({needed, 2 * capacity_, std::size_t{64}}));
}

void WipedBytes::resize(std::size_t size, std::uint8_t fill) {
    grow(size);
    if (size > size_) {
        std::memset(data_ + size_, fill, size - size_);
    } else if (size < size_) {
        wipe(data_ + size, size_ - size);
    }
    size_ = size;
}

void WipedBytes::clear() noexcept {
    wipe(data_, size_);
    size_ = 0;
}

void WipedBytes::append(ByteView bytes) {
    if (bytes.empty()) return;
    grow(size_ + bytes.size());
    std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

void WipedBytes::erase_front(std::size_t count) noexcept {
    if (count == 0) return;
    count = std::min(count, size_);
    std::memmove(data_, data_ + count, size_ - count);
    wipe(data_ + size_ - count, count);
    size_ -= count;
}

void WipedBytes::swap(WipedBytes& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
}

void WipedBytes::release() noexcept {
    wipe(data_, size_);
    delete[] data_;
    data_ = nullptr;
    size_ = 0;
    capacity_ = 0;
}

}  // namespace postern
