#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <set>
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

    /// Of a frame in a file, which has to stand in one piece; and of what any frame holds.
    static constexpr std::size_t k_frame_bytes_max = std::size_t{256} << 10U;
    static constexpr std::size_t k_inflated_bytes_max = std::size_t{64} << 20U;

    enum class Forms {
        as_they_are,
        readable,  ///< those of forms_of() too, and all that also within zstd frames
    };
    /// Words that are too short or too long are left out, and everything above k_words_max.
    explicit FileSearch(std::vector<std::string> words, Forms forms = Forms::as_they_are);

    [[nodiscard]] std::size_t words() const noexcept { return words_; }
    struct LeftOut {
        std::size_t above_limit = 0;
        std::size_t by_length = 0;
    };
    /// Different ones that were given and are not looked for.
    [[nodiscard]] const LeftOut& left_out() const noexcept { return left_out_; }

    struct Found {
        std::uint64_t bytes = 0;      ///< that were read
        std::uint64_t hits = 0;       ///< places where a word stands, in any form
        std::set<std::size_t> words;  ///< different ones that were found
    };
    /// The whole file. Errors: io_failed.
    [[nodiscard]] Result<Found> search(int file) const;
    /// In these bytes alone; counts nothing as read.
    void look(ByteView bytes, Found& found) const { look(bytes, bytes.size(), found); }
    /// Places in these bytes where a word stands.
    [[nodiscard]] std::uint64_t hits(ByteView bytes) const;

private:
    struct Form {
        std::string bytes;
        std::size_t word = 0;
    };
    void add(std::string form);
    void look(ByteView bytes, std::size_t starts_before, Found& found) const;
    void look_for_words(ByteView bytes, std::size_t starts_before, Found& found) const;
    void look_into_frames(ByteView bytes, std::size_t starts_before, Found& found) const;
    /// How much behind a byte has to be there to judge what begins with it.
    [[nodiscard]] std::size_t reach() const;

    std::size_t words_ = 0;
    LeftOut left_out_;
    bool into_frames_ = false;
    std::size_t longest_ = 0;
    std::vector<Form> forms_;
    /// First two bytes of a form, and the forms that begin with them.
    std::bitset<65536> begins_;
    std::vector<std::vector<std::uint32_t>> by_begin_ =
        std::vector<std::vector<std::uint32_t>>(begins_.size());
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
