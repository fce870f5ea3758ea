#pragma once

#include "features/vault/keyring.h"
#include "foundation/base/result.h"
#include "platform/keys/message_keys.h"

#include <map>
#include <set>
#include <vector>

namespace postern::vault {

/// The subject keys that one call needs.
using SubjectKeys = std::map<CreatorId, SubjectKey>;

inline constexpr std::size_t k_row_bytes_max = 256;
inline constexpr std::size_t k_subjects_per_key_max = 100;
inline constexpr std::size_t k_subjects_per_call_max = 20'000;

/// False for what a well-behaved front never asks: an empty or huge row, no or too many subjects.
[[nodiscard]] bool is_sound(const keys::KeyRequest& request);
[[nodiscard]] bool is_sound(const keys::KeyOpening& opening);

/// A fresh object key and its wraps. Errors: cannot_open when a subject has no key.
[[nodiscard]] Result<keys::SealedKey> seal_key(WorkspaceId workspace,
                                               const SubjectKeys& subjects,
                                               const keys::KeyRequest& request);
/// Empty where it does not open.
[[nodiscard]] Secret open_key(WorkspaceId workspace,
                              const SubjectKeys& subjects,
                              const keys::KeyOpening& opening);

}  // namespace postern::vault
