#pragma once

#include "app/supervisor/outcome.h"
#include "foundation/base/secret.h"

#include <cstddef>

namespace postern::app::supervisor {

inline constexpr std::size_t k_passphrase_bytes_max = 1024;

/// The root key's passphrase, up to the end of a line: from the descriptor where one is given, else
/// from the systemd credential `postern-passphrase`, else from the terminal, without echo. Never
/// from arguments or the environment, which others can read.
/// Errors: no_passphrase, passphrase_too_long, passphrases_differ.
[[nodiscard]] Outcome<Secret> enter_passphrase(int descriptor);
/// The same without the terminal: empty where it is not given.
[[nodiscard]] Outcome<Secret> given_passphrase(int descriptor);
/// A new one: from the descriptor, else twice from the terminal.
[[nodiscard]] Outcome<Secret> choose_passphrase(int descriptor);

}  // namespace postern::app::supervisor
