#include "features/trust/file_search.h"

#include "features/trust/word_forms.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/zstd_frame.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

constexpr std::size_t k_chunk_bytes = std::size_t{1} << 20U;

std::size_t pair_of(std::uint8_t first, std::uint8_t second) {
    return (std::size_t{first} << 8U) | second;
}

/// Files whose name is `begin` with something behind it, in its folder.
Result<std::vector<std::string>> files_that_begin(const std::string& begin) {
    const std::filesystem::path path(begin);
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const auto prefix = path.filename().string();
    std::vector<std::string> out;
    std::error_code error;
    std::filesystem::directory_iterator each(folder, error);
    for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
        const auto name = each->path().filename().string();
        if (!name.starts_with(prefix)) continue;
        if (out.size() == HeldFiles::k_files_max) return fail(os::OsError::io, begin);
        out.push_back(path.has_parent_path() ? each->path().string() : name);
    }
    if (error) return fail(os::OsError::io, error.message());
    std::ranges::sort(out);
    return out;
}

Result<std::vector<std::string>> files_named(const std::vector<std::string>& names) {
    std::vector<std::string> out;
    for (const auto& name : names) {
        if (!name.ends_with('*')) {
            out.push_back(name);
            continue;
        }
        POSTERN_TRY(auto found, files_that_begin(name.substr(0, name.size() - 1)));
        out.insert(out.end(), std::make_move_iterator(found.begin()),
                   std::make_move_iterator(found.end()));
    }
    return out;
}

}  // namespace

FileSearch::FileSearch(std::vector<std::string> words, Forms forms)
    : into_frames_(forms == Forms::readable) {
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    for (auto& word : words) {
        if (word.size() < k_word_bytes_min || word.size() > k_word_bytes_max) {
            ++left_out_.by_length;
            continue;
        }
        if (words_ == k_words_max) {
            ++left_out_.above_limit;
            continue;
        }
        if (forms == Forms::as_they_are) {
            add(std::move(word));
        } else {
            for (auto& form : forms_of(word))
                add(std::move(form));
        }
        ++words_;
    }
}

void FileSearch::add(std::string form) {
    const auto bytes = as_bytes(form);
    const auto begin = pair_of(bytes[0], bytes[1]);
    begins_.set(begin);
    by_begin_[begin].push_back(static_cast<std::uint32_t>(forms_.size()));
    longest_ = std::max(longest_, form.size());
    forms_.push_back({std::move(form), words_});
}

std::size_t FileSearch::reach() const {
    return into_frames_ ? std::max(longest_, k_frame_bytes_max) : longest_;
}

void FileSearch::look_for_words(ByteView bytes, std::size_t starts_before, Found& found) const {
    for (std::size_t i = 0; i < starts_before && i + 1 < bytes.size(); ++i) {
        const auto begin = pair_of(bytes[i], bytes[i + 1]);
        if (!begins_.test(begin)) continue;
        for (const auto index : by_begin_[begin]) {
            const auto form = as_bytes(forms_[index].bytes);
            if (form.size() > bytes.size() - i) continue;
            if (!std::ranges::equal(form, bytes.subspan(i, form.size()))) continue;
            ++found.hits;
            found.words.insert(forms_[index].word);
        }
    }
}

void FileSearch::look_into_frames(ByteView bytes, std::size_t starts_before, Found& found) const {
    auto rest = bytes;
    while (true) {
        const auto frame = std::ranges::search(rest, codec::k_zstd_magic);
        const auto at = static_cast<std::size_t>(frame.begin() - bytes.begin());
        if (frame.empty() || at >= starts_before) return;
        rest = bytes.subspan(at + codec::k_zstd_magic.size());
        // Bytes that look like one by chance do not inflate.
        const auto inflated = codec::inflate_frame(bytes.subspan(at), k_inflated_bytes_max);
        if (inflated) look_for_words(*inflated, inflated->size(), found);
    }
}

void FileSearch::look(ByteView bytes, std::size_t starts_before, Found& found) const {
    look_for_words(bytes, starts_before, found);
    if (into_frames_) look_into_frames(bytes, starts_before, found);
}

std::uint64_t FileSearch::hits(ByteView bytes) const {
    Found found;
    look(bytes, found);
    return found.hits;
}

Result<FileSearch::Found> FileSearch::search(int file) const {
    Found found;
    Bytes window(k_chunk_bytes + reach());
    std::size_t held = 0;
    while (true) {
        const auto got = ::pread(file, window.data() + held, window.size() - held,
                                 static_cast<off_t>(found.bytes));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(os::errno_error("a file of the store"));
        found.bytes += static_cast<std::uint64_t>(got);
        held += static_cast<std::size_t>(got);
        const bool at_end = got == 0;
        if (!at_end && held < window.size()) continue;
        // A word that begins in the last bytes may go on in the next chunk.
        const auto judged = at_end ? held : held - std::min(held, reach());
        look(ByteView(window).first(held), judged, found);
        if (at_end) return found;
        std::copy(window.begin() + static_cast<std::ptrdiff_t>(judged),
                  window.begin() + static_cast<std::ptrdiff_t>(held), window.begin());
        held -= judged;
    }
}

Result<std::vector<HeldFiles::File>> HeldFiles::open(const std::vector<std::string>& names) {
    POSTERN_TRY(const auto all, files_named(names));
    std::vector<File> out;
    for (const auto& name : all) {
        const auto known = std::find_if(held_.begin(), held_.end(),
                                        [&name](const File& file) { return file.name == name; });
        if (known != held_.end()) {
            out.push_back(*known);
            continue;
        }
        const int opened = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (opened < 0 && errno == ENOENT) continue;
        if (opened < 0) return fail(os::errno_error(name));
        held_.push_back({name, opened});
        out.push_back(held_.back());
    }
    return out;
}

}  // namespace postern::trust
