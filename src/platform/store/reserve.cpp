#include "platform/store/reserve.h"

#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/store/system_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>
#include <string>
#include <utility>

namespace postern::store {

Reserve::Reserve(Options options) : options_(std::move(options)) {}

bool Reserve::held() const {
    struct stat info{};
    if (::lstat(options_.file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
    // Blocks too, not the length alone: a copied file may be sparse and hold no room at all.
    return info.st_size >= options_.size_bytes && info.st_blocks * 512 >= options_.size_bytes;
}

Result<> Reserve::restore() {
    if (held()) return {};
    const os::Fd file(
        ::open(options_.file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) return fail(system_error(options_.file, errno));
    int number = ::posix_fallocate(file.get(), 0, options_.size_bytes);
    if (number == 0 && ::fsync(file.get()) != 0) number = errno;
    if (number == 0) return {};
    ::unlink(options_.file.c_str());
    return fail(system_error(options_.file, number));
}

Result<> Reserve::release() {
    if (::unlink(options_.file.c_str()) == 0 || errno == ENOENT) return {};
    return fail(system_error(options_.file, errno));
}

}  // namespace postern::store
