#pragma once

#include "foundation/base/result.h"
#include "platform/os/fd.h"

#include <string>

namespace postern::store {

/// Exclusive use of a store, from take() until destruction or the end of the process, however it
/// ends. The file stays; only the lock on it counts.
class LockFile {
public:
    /// Errors: in_use, io_failed.
    [[nodiscard]] static Result<LockFile> take(const std::string& name);

private:
    explicit LockFile(os::Fd file) : file_(std::move(file)) {}
    os::Fd file_;
};

}  // namespace postern::store
