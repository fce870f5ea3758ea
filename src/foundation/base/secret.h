#pragma once

#include "foundation/base/bytes.h"

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <span>
#include <utility>

namespace postern {

/// Key, password or token in locked memory: between guard pages, kept out of core files, not
/// inherited by a fork, wiped when freed. Move-only; cannot be printed, formatted, compared or
/// turned into JSON. The bytes are seen only inside with_bytes().
class Secret {
public:
    Secret() noexcept = default;
    Secret(Secret&& other) noexcept : data_(other.data_), size_(other.size_) {
        other.data_ = nullptr;
        other.size_ = 0;
    }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            release();
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { release(); }

    /// Zeroed bytes to be filled in.
    [[nodiscard]] static Secret of_size(std::size_t size);
    /// The source stays with the caller, who wipes it.
    [[nodiscard]] static Secret copy_of(ByteView source);
    /// Takes the bytes and wipes the source.
    [[nodiscard]] static Secret take(std::string& source);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Lifetime: the view is valid only during the call.
    template <typename F>
    decltype(auto) with_bytes(F&& use) const {
        return std::invoke(std::forward<F>(use), ByteView(data_, size_));
    }
    template <typename F>
    decltype(auto) with_mutable_bytes(F&& use) {
        return std::invoke(std::forward<F>(use), std::span<std::uint8_t>(data_, size_));
    }

    friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;
    bool operator==(const Secret&) const = delete;

    /// True when every secret so far lies in memory that the system promised not to swap out.
    [[nodiscard]] static bool all_locked() noexcept;

private:
    void release() noexcept;

    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

/// A secret that is good for one job: `Key<DataWrap>` is not a `Key<BackupSeal>`.
template <typename Purpose>
struct Key {
    Secret bytes;
};

}  // namespace postern
