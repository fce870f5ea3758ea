#pragma once

#include "foundation/base/error.h"

#include <string>

namespace postern::store {

/// A failed system call as a StoreError: disk_full or io_failed. `what` names the file.
[[nodiscard]] Error system_error(const std::string& what, int error_number);

[[nodiscard]] bool means_no_room(int error_number) noexcept;

}  // namespace postern::store
