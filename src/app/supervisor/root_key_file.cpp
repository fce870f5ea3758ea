#include "app/supervisor/root_key_file.h"

#include "app/supervisor/outcome.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <string>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr mode_t k_key_mode = 0400;

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

Result<os::Fd> open_root_key(const std::string& path) {
    os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid()) {
        return fail(SupervisorError::root_key_missing, os::errno_error(path).detail());
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return fail(os::errno_error(path));
    if (!S_ISREG(status.st_mode) || (status.st_mode & 077U) != 0) {
        return fail(SupervisorError::root_key_unsafe, path);
    }
    return file;
}

NewRootKeyFile::NewRootKeyFile(std::string path, os::Fd file)
    : path_(std::move(path)), temporary_(path_ + ".new"), file_(std::move(file)) {}

NewRootKeyFile::NewRootKeyFile(NewRootKeyFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)) {}

NewRootKeyFile::~NewRootKeyFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<NewRootKeyFile> NewRootKeyFile::begin(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) return fail(SupervisorError::root_key_exists, path);
    const auto temporary = path + ".new";
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
        if (errno == EEXIST) return fail(SupervisorError::root_key_exists, path_);
        return fail(os::errno_error(path_));
    }
    const auto folder = folder_of(path_);
    const os::Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid() || ::fsync(directory.get()) != 0) return fail(os::errno_error(folder));
    return {};
}

}  // namespace postern::app::supervisor
