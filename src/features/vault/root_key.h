#pragma once

#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/password.h"

#include <string>

namespace postern::vault {

/// The root key: 32 random bytes in a file of mode 0400 that only keeper reads: as they are, or
/// sealed under a passphrase. The file then has its Argon2id salt and cost in front; another
/// passphrase, or none, is another file and touches nothing else.
[[nodiscard]] Secret make_root_key();

/// A file is read at every start of keeper by whoever stole it, too, as often as they like.
inline constexpr crypto::Argon2Cost k_passphrase_cost{.passes = 4, .memory_kib = 128 * 1024};

/// Writes the file's content. No passphrase: the key as it is. Takes a quarter of a second with
/// one. Errors: weak_secret, disk_full, io_failed, out_of_memory.
[[nodiscard]] Result<> write_root_key(int fd,
                                      const Secret& root_key,
                                      const Secret& passphrase,
                                      crypto::Argon2Cost cost = k_passphrase_cost);
/// Errors: bad_root_key_file, passphrase_needed, wrong_passphrase, out_of_memory.
[[nodiscard]] Result<Secret> read_root_key(int fd, const Secret& passphrase);

/// Tells root keys apart and says nothing about them: 32 hexadecimal digits.
[[nodiscard]] std::string fingerprint(const Secret& root_key);

}  // namespace postern::vault
