#include "foundation/base/secret.h"

#include "foundation/base/bytes.h"

#include <sys/mman.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <vector>

namespace postern {
namespace {

std::atomic<bool> g_all_locked{true};

std::size_t round_to_pages(std::size_t size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return (size + page - 1) / page * page;
}

/// Maps `size` bytes (rounded up to pages) with an unreadable page on either side.
std::uint8_t* map_guarded(std::size_t size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inner = round_to_pages(size);
    void* outer = mmap(nullptr, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (outer == MAP_FAILED) throw std::bad_alloc();
    auto* data = static_cast<std::uint8_t*>(outer) + page;
    if (mprotect(data, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    if (mlock(data, inner) != 0) g_all_locked = false;
    madvise(data, inner, MADV_DONTDUMP);
    madvise(data, inner, MADV_WIPEONFORK);
    return data;
}

void unmap_guarded(std::uint8_t* data, std::size_t size) noexcept {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    munmap(data - page, round_to_pages(size) + 2 * page);
}

/// Locked pages cut into equal slots, one list of free slots per size.
class Pool {
public:
    std::uint8_t* take(std::size_t size) {
        const std::lock_guard lock(mutex_);
        auto& free = free_[class_of(size)];
        if (free.empty()) refill(free, k_slot_bytes[class_of(size)]);
        auto* slot = free.back();
        free.pop_back();
        return slot;
    }
    void give_back(std::uint8_t* slot, std::size_t size) {
        const std::lock_guard lock(mutex_);
        free_[class_of(size)].push_back(slot);
    }

    static constexpr std::array<std::size_t, 3> k_slot_bytes{64, 512, 4096};
    static constexpr std::size_t k_slab_bytes = 16384;

private:
    static std::size_t class_of(std::size_t size) {
        std::size_t index = 0;
        while (k_slot_bytes[index] < size)
            ++index;
        return index;
    }
    static void refill(std::vector<std::uint8_t*>& free, std::size_t slot_bytes) {
        auto* slab = map_guarded(k_slab_bytes);
        // Room for every slot, so that giving one back never allocates.
        free.reserve(free.capacity() + k_slab_bytes / slot_bytes);
        for (std::size_t at = 0; at + slot_bytes <= k_slab_bytes; at += slot_bytes) {
            free.push_back(slab + at);
        }
    }

    std::mutex mutex_;
    std::array<std::vector<std::uint8_t*>, 3> free_;
};

// Never destroyed: secrets in static storage may outlive any other static object.
Pool& pool() {
    static Pool& instance = *new Pool;
    return instance;
}

constexpr std::size_t k_largest_slot = Pool::k_slot_bytes.back();

}  // namespace

Secret Secret::of_size(std::size_t size) {
    Secret made;
    if (size == 0) return made;
    made.data_ = size <= k_largest_slot ? pool().take(size) : map_guarded(size);
    made.size_ = size;
    std::memset(made.data_, 0, size);
    return made;
}

Secret Secret::copy_of(ByteView source) {
    Secret made = of_size(source.size());
    if (!source.empty()) std::memcpy(made.data_, source.data(), source.size());
    return made;
}

Secret Secret::take(std::string& source) {
    Secret made = copy_of(as_bytes(source));
    wipe(source.data(), source.size());
    source.clear();
    return made;
}

void Secret::release() noexcept {
    if (data_ == nullptr) return;
    wipe(data_, size_);
    if (size_ <= k_largest_slot) {
        pool().give_back(data_, size_);
    } else {
        unmap_guarded(data_, size_);
    }
    data_ = nullptr;
    size_ = 0;
}

bool Secret::all_locked() noexcept {
    return g_all_locked;
}

}  // namespace postern
