#include "platform/store/lock_file.h"

#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/store/store_error.h"
#include "platform/store/system_error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <cerrno>
#include <string>
#include <utility>

namespace postern::store {

Result<LockFile> LockFile::take(const std::string& name) {
    os::Fd file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) {
        return fail(system_error(name, errno));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return fail(StoreError::in_use, name);
        return fail(system_error(name, errno));
    }
    return LockFile(std::move(file));
}

}  // namespace postern::store
