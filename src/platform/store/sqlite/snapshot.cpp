#include "platform/store/sqlite/snapshot.h"

#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/store/store_error.h"
#include "platform/store/system_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::store::sqlite {
namespace {

constexpr std::string_view k_mark = ".before-";
constexpr std::string_view k_unfinished = ".part";
constexpr std::size_t k_chunk_bytes = 1U << 20U;
/// What is left free beside the copy and the migration.
constexpr std::uint64_t k_spare_bytes = std::uint64_t{16} << 20U;

std::filesystem::path folder_of(const std::string& file) {
    const auto folder = std::filesystem::path(file).parent_path();
    return folder.empty() ? "." : folder;
}

Result<> sync_folder(const std::string& file) {
    const auto folder = folder_of(file).string();
    const os::Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.valid() && ::fsync(opened.get()) == 0) return {};
    return fail(system_error(folder, errno));
}

Result<> write_all(int fd, std::string_view bytes, const std::string& name) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(system_error(name, errno));
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<> copy(const os::Fd& from, const os::Fd& to, const std::string& name) {
    std::string chunk(k_chunk_bytes, '\0');
    while (true) {
        const auto got = ::read(from.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(system_error(name, errno));
        if (got == 0) break;
        const std::string_view bytes(chunk.data(), static_cast<std::size_t>(got));
        if (auto done = write_all(to.get(), bytes, name); !done) return done;
    }
    if (::fsync(to.get()) != 0) return fail(system_error(name, errno));
    return {};
}

/// Errors: disk_full, which says how much room is missing.
Result<> check_room_for(const std::string& file, std::uint64_t size) {
    struct statvfs status{};
    const auto folder = folder_of(file).string();
    if (::statvfs(folder.c_str(), &status) != 0) return fail(system_error(folder, errno));
    const auto free = std::uint64_t{status.f_bavail} * status.f_frsize;
    const auto needed = 2 * size + k_spare_bytes;
    if (free >= needed) return {};
    return fail(StoreError::disk_full, "bringing " + file + " to this version needs " +
                                           std::to_string((needed >> 20U) + 1) +
                                           " MiB free (a copy is made first); there are " +
                                           std::to_string(free >> 20U));
}

struct Copy {
    std::int64_t before = 0;
    std::string name;
};

/// All copies of the file, finished or not, newest first.
Result<std::vector<Copy>> copies_of(const std::string& file) {
    std::vector<Copy> found;
    std::error_code error;
    const auto prefix = std::filesystem::path(file).filename().string() + std::string(k_mark);
    for (const auto& entry : std::filesystem::directory_iterator(folder_of(file), error)) {
        const auto name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        Copy copy{0, entry.path().string()};
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), copy.before);
        found.push_back(std::move(copy));
    }
    if (error) return fail(system_error(folder_of(file).string(), error.value()));
    std::ranges::sort(found, std::ranges::greater(), &Copy::before);
    return found;
}

Result<> overwrite(const std::string& name) {
    const os::Fd file(::open(name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) return fail(system_error(name, errno));
    const std::string nothing(k_chunk_bytes, '\0');
    for (auto left = static_cast<std::uint64_t>(status.st_size); left > 0;) {
        const auto size = std::min<std::uint64_t>(left, nothing.size());
        auto done = write_all(file.get(), std::string_view(nothing).substr(0, size), name);
        if (!done) return done;
        left -= size;
    }
    return ::fsync(file.get()) == 0 ? Result<>{} : fail(system_error(name, errno));
}

}  // namespace

Result<> check_room(const std::string& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return fail(system_error(file, errno));
    return check_room_for(file, static_cast<std::uint64_t>(status.st_size));
}

Result<std::string> take_snapshot(const std::string& file, std::int64_t before) {
    const os::Fd original(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status{};
    if (!original.valid() || ::fstat(original.get(), &status) != 0) {
        return fail(system_error(file, errno));
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (auto room = check_room_for(file, size); !room) return fail(std::move(room.error()));
    auto name = file + std::string(k_mark) + std::to_string(before);
    const auto unfinished = name + std::string(k_unfinished);
    const os::Fd made(
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!made.valid()) return fail(system_error(unfinished, errno));
    auto done = copy(original, made, unfinished);
    if (done && ::rename(unfinished.c_str(), name.c_str()) != 0) {
        done = fail(system_error(name, errno));
    }
    if (done) done = sync_folder(file);
    if (!done) {
        ::unlink(unfinished.c_str());
        return fail(std::move(done.error()));
    }
    log(LogLevel::info, "store_snapshot", {LogField::sanitised("file", name), {"bytes", size}});
    return name;
}

Result<> prune_snapshots(const std::string& file, std::size_t kept) {
    POSTERN_TRY(const auto copies, copies_of(file));
    for (std::size_t i = kept; i < copies.size(); ++i) {
        const auto& name = copies[i].name;
        if (::unlink(name.c_str()) != 0) return fail(system_error(name, errno));
    }
    return {};
}

Result<> wipe_snapshots(const std::string& file) {
    POSTERN_TRY(const auto copies, copies_of(file));
    for (const auto& copy : copies) {
        if (auto done = overwrite(copy.name); !done) return done;
        if (::unlink(copy.name.c_str()) != 0) return fail(system_error(copy.name, errno));
        log(LogLevel::info, "store_snapshot_wiped", {LogField::sanitised("file", copy.name)});
    }
    return copies.empty() ? Result<>{} : sync_folder(file);
}

}  // namespace postern::store::sqlite
