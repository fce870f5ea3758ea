#include "app/supervisor/root_key_file.h"

#include "app/supervisor/place_error.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr mode_t k_key_mode = 0400;

constexpr int k_read_flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
/// What a root key has that is under a passphrase; one that is under none has 32. A file of any
/// other size is none.
constexpr std::uint64_t k_sealed_bytes = 148;

std::string next_of(const std::string& path) {
    return path + ".next";
}
/// Until it is whole and on disk.
std::string unfinished_of(const std::string& path) {
    return next_of(path) + ".new";
}

/// The same of the first one.
std::string new_of(const std::string& path) {
    return path + ".new";
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<> check_safe(const os::Fd& file, const std::string& path) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return fail(os::errno_error(path));
    if (!S_ISREG(status.st_mode) || (status.st_mode & 077U) != 0) {
        return fail(PlaceError::root_key_unsafe, path);
    }
    return {};
}

Result<> sync_folder(const std::string& path) {
    const auto folder = folder_of(path);
    const os::Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid() || ::fsync(directory.get()) != 0) return fail(os::errno_error(folder));
    return {};
}

}  // namespace

Result<os::Fd> open_root_key(const std::string& path) {
    os::Fd file(::open(path.c_str(), k_read_flags));
    if (!file.valid()) {
        return fail(PlaceError::root_key_missing, os::errno_error(path).detail());
    }
    if (auto safe = check_safe(file, path); !safe) return fail(std::move(safe.error()));
    return file;
}

Result<os::Fd> open_next_root_key(const std::string& path) {
    const auto next = next_of(path);
    os::Fd file(::open(next.c_str(), k_read_flags));
    if (!file.valid()) return os::Fd();
    if (auto safe = check_safe(file, next); !safe) return fail(std::move(safe.error()));
    return file;
}

Result<bool> is_under_passphrase(const os::Fd& file) {
    POSTERN_TRY(const auto size, os::file_size(file.get()));
    return size == k_sealed_bytes;
}

Result<> settle_root_key(const std::string& path, bool next_fits) {
    const auto next = next_of(path);
    if (next_fits) {
        if (::rename(next.c_str(), path.c_str()) != 0) return fail(os::errno_error(next));
        return sync_folder(path);
    }
    if (::unlink(next.c_str()) != 0 && errno != ENOENT) return fail(os::errno_error(next));
    return {};
}

Result<> remove_unfinished_root_key(const std::string& path) {
    for (const auto& name : {unfinished_of(path), new_of(path)}) {
        if (::unlink(name.c_str()) != 0 && errno != ENOENT) return fail(os::errno_error(name));
    }
    return {};
}

std::string unsettled_root_key(const std::string& path) {
    for (const auto& name : {next_of(path), unfinished_of(path), new_of(path)}) {
        if (::access(name.c_str(), F_OK) == 0) return name;
    }
    return {};
}

NextRootKeyFile::NextRootKeyFile(std::string path, os::Fd file)
    : path_(std::move(path)), file_(std::move(file)) {}

Result<NextRootKeyFile> NextRootKeyFile::begin(const std::string& path) {
    const auto next = next_of(path);
    struct stat status{};
    // It may be the only file that has the present key.
    if (::lstat(next.c_str(), &status) == 0) return fail(PlaceError::root_key_unsettled, next);
    const auto unfinished = unfinished_of(path);
    os::Fd file(
        ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, k_key_mode));
    // Another command's, which may still be at work.
    if (!file.valid() && errno == EEXIST) {
        return fail(PlaceError::root_key_unsettled, unfinished);
    }
    if (!file.valid()) return fail(os::errno_error(unfinished));
    return NextRootKeyFile(path, std::move(file));
}

Result<os::Fd> NextRootKeyFile::descriptor() const {
    return os::duplicate(file_);
}

Result<> NextRootKeyFile::publish() {
    const auto unfinished = unfinished_of(path_);
    const auto next = next_of(path_);
    if (::fchmod(file_.get(), k_key_mode) != 0 || ::fsync(file_.get()) != 0) {
        return fail(os::errno_error(unfinished));
    }
    // A hard link never replaces what is there, as a rename would.
    if (::link(unfinished.c_str(), next.c_str()) != 0) {
        if (errno == EEXIST) return fail(PlaceError::root_key_unsettled, next);
        return fail(os::errno_error(next));
    }
    published_ = true;
    ::unlink(unfinished.c_str());
    return sync_folder(path_);
}

Result<> NextRootKeyFile::take_over() const {
    return settle_root_key(path_, true);
}

void NextRootKeyFile::discard() const {
    ::unlink(published_ ? next_of(path_).c_str() : unfinished_of(path_).c_str());
}

NewRootKeyFile::NewRootKeyFile(std::string path, os::Fd file)
    : path_(std::move(path)), temporary_(new_of(path_)), file_(std::move(file)) {}

NewRootKeyFile::NewRootKeyFile(NewRootKeyFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)) {}

NewRootKeyFile::~NewRootKeyFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<NewRootKeyFile> NewRootKeyFile::begin(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) return fail(PlaceError::root_key_exists, path);
    const auto temporary = new_of(path);
    // Left by a crash; never more than a key that nothing was sealed under.
    ::unlink(temporary.c_str());
    os::Fd file(
        ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, k_key_mode));
    if (!file.valid()) return fail(os::errno_error(temporary));
    return NewRootKeyFile(path, std::move(file));
}

Result<os::Fd> NewRootKeyFile::descriptor() const {
    os::Fd copy(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) return fail(os::errno_error(temporary_));
    return copy;
}

Result<> NewRootKeyFile::commit() {
    if (::fchmod(file_.get(), k_key_mode) != 0 || ::fsync(file_.get()) != 0) {
        return fail(os::errno_error(temporary_));
    }
    // A hard link never replaces what is there, as a rename would.
    if (::link(temporary_.c_str(), path_.c_str()) != 0) {
        if (errno == EEXIST) return fail(PlaceError::root_key_exists, path_);
        return fail(os::errno_error(path_));
    }
    return sync_folder(path_);
}

}  // namespace postern::app::supervisor
