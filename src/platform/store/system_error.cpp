#include "platform/store/system_error.h"

#include "foundation/base/error.h"
#include "platform/store/store_error.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace postern::store {

bool means_no_room(int error_number) noexcept {
    return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

Error system_error(const std::string& what, int error_number) {
    const char* const text = ::strerrordesc_np(error_number);
    return {means_no_room(error_number) ? StoreError::disk_full : StoreError::io_failed,
            what + ": " + (text != nullptr ? text : "unknown error")};
}

}  // namespace postern::store
