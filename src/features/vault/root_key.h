#pragma once

#include "foundation/base/result.h"
#include "foundation/base/secret.h"

#include <string>

namespace postern::vault {

/// The root key: 32 random bytes in a file of mode 0400 that only keeper reads.
[[nodiscard]] Secret make_root_key();
/// Errors: file_exists, disk_full, io_failed.
[[nodiscard]] Result<> write_root_key(const std::string& path, const Secret& root_key);
/// Errors: file_not_found, file_too_open, bad_root_key_file.
[[nodiscard]] Result<Secret> read_root_key(const std::string& path);
/// From a descriptor that the supervisor opened.
[[nodiscard]] Result<Secret> read_root_key(int fd);

/// Tells root keys apart and says nothing about them: 32 hexadecimal digits.
[[nodiscard]] std::string fingerprint(const Secret& root_key);

}  // namespace postern::vault
