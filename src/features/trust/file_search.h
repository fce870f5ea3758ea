#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::trust {

/// Looks for byte strings in files or values, whatever these are: one pass for all of them.
///
/// Executor: blocks; on a thread of a pool.
class FileSearch {
public:
    /// A word shorter than this would be found by chance.
    static constexpr std::size_t k_word_bytes_min = 6;
    static constexpr std::size_t k_word_bytes_max = 4096;
    static constexpr std::size_t k_words_max = 10'000;

    /// Words that are too short or too long are left out, and everything above k_words_max.
    explicit FileSearch(std::vector<std::string> words);

    [[nodiscard]] std::size_t words() const noexcept { return words_.size(); }
    struct LeftOut {
        std::size_t above_limit = 0;
        std::size_t by_length = 0;
    };
    /// Different ones that were given and are not looked for.
    [[nodiscard]] const LeftOut& left_out() const noexcept { return left_out_; }

    struct Found {
        std::uint64_t bytes = 0;  ///< that were read
        std::uint64_t hits = 0;   ///< places where a word stands
    };
    /// The whole file. Errors: io_failed.
    [[nodiscard]] Result<Found> search(int file) const;
    /// Places in these bytes where a word stands.
    [[nodiscard]] std::uint64_t hits(ByteView bytes) const { return hits_in(bytes, bytes.size()); }

private:
    [[nodiscard]] std::uint64_t hits_in(ByteView bytes, std::size_t starts_before) const;

    std::vector<std::string> words_;
    LeftOut left_out_;
    std::size_t longest_ = 0;
    /// First two bytes of a word, and the words that begin with them.
    std::bitset<65536> begins_;
    std::array<std::vector<std::uint32_t>, 256> by_first_;
};

/// Files of a store that this process works on. They stay open for as long as the process lives:
/// closing any descriptor of a file ends the POSIX locks that SQLite holds on it here
/// (sqlite.org/howtocorrupt.html, section 2.2).
class HeldFiles {
public:
    HeldFiles() = default;
    HeldFiles(const HeldFiles&) = delete;
    HeldFiles& operator=(const HeldFiles&) = delete;

    struct File {
        std::string name;
        int descriptor = -1;
    };
    /// Those of the names that there are; each is opened once. A name that ends in `*` is of every
    /// file that begins as it does. Errors: io_failed, also for more than k_files_max of one name.
    [[nodiscard]] Result<std::vector<File>> open(const std::vector<std::string>& names);

    static constexpr std::size_t k_files_max = 64;

private:
    std::vector<File> held_;
};

}  // namespace postern::trust
