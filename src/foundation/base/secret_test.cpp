#include "foundation/base/secret.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <ios>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace postern {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
template <typename T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <typename T>
concept Ordered = requires(const T& a, const T& b) { a < b; };

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(std::is_nothrow_move_assignable_v<Secret>);
static_assert(!Streamable<Secret>);
static_assert(!Comparable<Secret>);
static_assert(!Ordered<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, ByteView>);
static_assert(!std::is_constructible_v<std::string, Secret>);
static_assert(!std::is_constructible_v<Bytes, Secret>);
static_assert(!std::is_constructible_v<Secret, std::string>);
static_assert(!std::is_constructible_v<bool, Secret>);

struct DataWrap {};
struct BackupSeal {};
static_assert(!std::is_constructible_v<Key<DataWrap>, Key<BackupSeal>>);
static_assert(!std::is_copy_constructible_v<Key<DataWrap>>);
static_assert(!Streamable<Key<DataWrap>>);
static_assert(!Comparable<Key<DataWrap>>);

std::string text_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}
const std::uint8_t* address_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return bytes.data(); });
}
std::size_t page_bytes() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// The lines of /proc/self/smaps for the mapping that holds `address`.
std::string mapping_of(const void* address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream smaps("/proc/self/smaps");
    std::string line;
    std::string found;
    bool inside = false;
    while (std::getline(smaps, line)) {
        std::uintptr_t first = 0;
        std::uintptr_t last = 0;
        char dash = 0;
        std::istringstream head(line);
        if (head >> std::hex >> first >> dash >> last && dash == '-') {
            inside = first <= wanted && wanted < last;
        }
        if (inside) found += line + "\n";
    }
    return found;
}

/// False under a sanitizer, which turns mlock into nothing.
bool mlock_works() {
    void* page = mmap(nullptr, page_bytes(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool locked = page != MAP_FAILED && mlock(page, page_bytes()) == 0 &&
                        mapping_of(page).find(" lo") != std::string::npos;
    munmap(page, page_bytes());
    return locked;
}

// One size of each slot of the pool, its borders, and sizes with a mapping of their own.
const std::vector<std::size_t>& sizes() {
    static const std::vector<std::size_t> all{1, 32, 63, 64, 65, 512, 513, 4096, 4097, 65536};
    return all;
}

TEST(Secret, is_empty_when_default_made_or_of_size_zero) {
    const Secret none;
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.size(), 0U);
    EXPECT_EQ(text_of(none), "");
    EXPECT_TRUE(Secret::of_size(0).empty());
    EXPECT_TRUE(Secret::copy_of({}).empty());
}

TEST(Secret, starts_zeroed_and_keeps_what_is_written) {
    for (const auto size : sizes()) {
        auto secret = Secret::of_size(size);
        EXPECT_EQ(secret.size(), size);
        EXPECT_EQ(text_of(secret), std::string(size, '\0'));
        secret.with_mutable_bytes(
            [](std::span<std::uint8_t> bytes) { std::ranges::fill(bytes, std::uint8_t{0xa5}); });
        EXPECT_EQ(text_of(secret), std::string(size, '\xa5'));
    }
}

TEST(Secret, starts_zeroed_in_memory_that_another_secret_gave_back) {
    for (const auto size : sizes()) {
        for (int round = 0; round < 3; ++round) {
            auto secret = Secret::of_size(size);
            EXPECT_EQ(text_of(secret), std::string(size, '\0')) << size;
            secret.with_mutable_bytes([](std::span<std::uint8_t> bytes) {
                std::ranges::fill(bytes, std::uint8_t{0xff});
            });
        }
    }
}

TEST(Secret, copies_bytes_and_leaves_the_source_alone) {
    const std::string source("a\0b\xff", 4);
    const auto secret = Secret::copy_of(as_bytes(source));
    EXPECT_EQ(text_of(secret), source);
    EXPECT_EQ(source, std::string("a\0b\xff", 4));
}

TEST(Secret, wipes_the_string_it_takes) {
    for (const std::size_t size : {5U, 200U}) {
        std::string source(size, 's');
        const char* memory = source.data();
        const auto secret = Secret::take(source);
        EXPECT_EQ(text_of(secret), std::string(size, 's'));
        EXPECT_TRUE(source.empty());
        // The capacity is still the string's, so its bytes may be looked at.
        EXPECT_EQ(source.data(), memory);
        EXPECT_TRUE(std::all_of(memory, memory + size, [](char c) { return c == '\0'; }));
    }
}

TEST(Secret, moves_its_memory_and_leaves_nothing_behind) {
    auto first = Secret::copy_of(as_bytes("one"));
    const auto* memory = address_of(first);
    Secret second(std::move(first));
    EXPECT_EQ(address_of(second), memory);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what a move leaves is the point
    second = Secret::copy_of(as_bytes("two"));
    EXPECT_EQ(text_of(second), "two");
    auto& same = second;
    second = std::move(same);
    EXPECT_EQ(text_of(second), "two");
}

TEST(Secret, wipes_its_bytes_when_freed_or_overwritten) {
    for (const std::size_t size : {16U, 500U, 4000U}) {
        const std::uint8_t* memory = nullptr;
        const auto is_wiped = [&] {
            return std::all_of(memory, memory + size, [](std::uint8_t byte) { return byte == 0; });
        };
        {
            const auto secret = Secret::copy_of(Bytes(size, 0x5a));
            memory = address_of(secret);
            EXPECT_EQ(memory[size - 1], 0x5a);
        }
        // Slots of the pool stay mapped, so what is left in them can be read.
        EXPECT_TRUE(is_wiped()) << size;
        auto secret = Secret::copy_of(Bytes(size, 0x5b));
        memory = address_of(secret);
        secret = Secret();
        EXPECT_TRUE(is_wiped()) << size;
    }
}

TEST(Secret, lies_in_separate_slots) {
    std::vector<Secret> secrets;
    for (int i = 0; i < 2000; ++i)
        secrets.push_back(Secret::copy_of(Bytes(40, static_cast<std::uint8_t>(i))));
    for (int i = 0; i < 2000; ++i) {
        const auto expected = std::string(40, static_cast<char>(static_cast<std::uint8_t>(i)));
        EXPECT_EQ(text_of(secrets[static_cast<std::size_t>(i)]), expected);
    }
}

TEST(Secret, lies_in_memory_kept_out_of_core_files_and_forks) {
    for (const std::size_t size : {32U, 65536U}) {
        const auto secret = Secret::copy_of(Bytes(size, 1));
        const auto mapping = mapping_of(address_of(secret));
        const auto flags = mapping.substr(std::min(mapping.find("VmFlags:"), mapping.size()));
        EXPECT_NE(flags.find(" dd"), std::string::npos) << mapping;
        EXPECT_NE(flags.find(" wf"), std::string::npos) << mapping;
        if (Secret::all_locked() && mlock_works()) {
            EXPECT_NE(flags.find(" lo"), std::string::npos) << mapping;
        }
    }
}

TEST(Secret, is_zero_in_a_forked_child) {
    const auto secret = Secret::copy_of(Bytes(32, 7));
    const auto* memory = address_of(secret);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const bool wiped = std::all_of(memory, memory + 32, [](auto byte) { return byte == 0; });
        _exit(wiped ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(memory[0], 7);
}

TEST(SecretDeathTest, has_an_unreadable_page_on_either_side) {
    const std::size_t size = 3 * page_bytes();
    const auto secret = Secret::of_size(size);
    const volatile std::uint8_t* memory = address_of(secret);
    EXPECT_EQ(memory[0], 0);
    EXPECT_EQ(memory[size - 1], 0);
    EXPECT_DEATH((void)memory[-1], "");
    EXPECT_DEATH((void)memory[size], "");
}

TEST(SecretDeathTest, has_guard_pages_around_the_slots_of_the_pool) {
    const auto secret = Secret::of_size(4096);
    const volatile std::uint8_t* memory = address_of(secret);
    // The slab holds four slots of this size: one of the next four pages is the guard.
    EXPECT_DEATH(
        {
            for (std::size_t page = 1; page <= 4; ++page)
                (void)memory[page * 4096];
        },
        "");
}

}  // namespace
}  // namespace postern
