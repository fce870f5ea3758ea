#include "app/supervisor/anchor_files.h"

#include "app/control/control_protocol.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr mode_t k_mode = 0600;

std::string before_of(const std::string& path) {
    return path + ".1";
}

/// Good where there is nothing under that name.
Result<> move_away(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
    return fail(os::errno_error(from));
}

/// Under a name that was not there: nothing is lost by accepting once more.
Result<> put_aside(const std::string& from) {
    constexpr int k_names_max = 1000;
    for (int number = 1; number <= k_names_max; ++number) {
        const auto to = from + ".accepted-" + std::to_string(number);
        if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
            return {};
        }
        if (errno == ENOENT) return {};
        if (errno != EEXIST) return fail(os::errno_error(from));
    }
    return fail(os::OsError::already_exists, from);
}

Result<> check_ours(const os::Fd& file, const std::string& path) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return fail(os::errno_error(path));
    const bool is_ours = S_ISREG(status.st_mode) && status.st_nlink == 1 &&
                         (status.st_uid == ::geteuid() || status.st_uid == 0);
    if (!is_ours) return fail(os::OsError::no_permission, path + " is no file of ours");
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return fail(os::OsError::too_open, path);
    return {};
}

/// The name, too, is durable.
Result<> sync_folder(const std::string& path) {
    const auto end = path.rfind('/');
    const auto folder = end == 0 ? std::string("/") : path.substr(0, end);
    const os::Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.valid() || ::fsync(opened.get()) != 0) return fail(os::errno_error(folder));
    return {};
}

}  // namespace

Result<AnchorFiles> open_anchor_files(const std::string& path, control::AnchorStep step) {
    if (path.empty()) return fail(os::OsError::not_found, "no anchor_file is set");
    auto moved = Result<>{};
    const auto before = before_of(path);
    if (step == control::AnchorStep::rotate) moved = move_away(path, before);
    if (step == control::AnchorStep::accept) {
        moved = put_aside(path);
        if (moved) moved = put_aside(before);
    }
    if (!moved) return fail(std::move(moved.error()));
    constexpr int k_flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    AnchorFiles files;
    files.present = os::Fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | k_flags, k_mode));
    if (!files.present.valid()) return fail(os::errno_error(path));
    if (auto ours = check_ours(files.present, path); !ours) return fail(std::move(ours.error()));
    if (auto synced = sync_folder(path); !synced) return fail(std::move(synced.error()));
    files.before = os::Fd(::open(before.c_str(), O_RDONLY | k_flags));
    if (!files.before.valid() && errno != ENOENT) return fail(os::errno_error(before));
    if (files.before.valid()) {
        if (auto ours = check_ours(files.before, before); !ours) {
            return fail(std::move(ours.error()));
        }
    }
    return files;
}

}  // namespace postern::app::supervisor
