#include "features/vault/message_keys.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "foundation/crypto/random.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::WrapMode;

bool is_sound(const Bytes& row, WrapMode mode, std::size_t subjects) {
    return !row.empty() && row.size() <= k_row_bytes_max &&
           (mode == WrapMode::each || mode == WrapMode::all) && subjects >= 1 &&
           subjects <= k_subjects_per_key_max;
}

const Secret* find(const SubjectKeys& subjects, CreatorId creator) {
    const auto found = subjects.find(creator);
    return found == subjects.end() ? nullptr : found->second.get();
}

/// A key that needs every subject's: folded in the order of their ids, each counted once.
std::optional<Secret> joined_key(const SubjectKeys& subjects, std::vector<CreatorId> creators) {
    constexpr std::string_view k_info = "postern wrap for all 1";
    std::ranges::sort(creators);
    const auto [first, last] = std::ranges::unique(creators);
    creators.erase(first, last);
    std::optional<Secret> joined;
    for (const auto& creator : creators) {
        const auto* key = find(subjects, creator);
        if (key == nullptr) return std::nullopt;
        joined =
            joined ? crypto::derive_key(*joined, *key, k_info) : crypto::derive_key(*key, k_info);
    }
    return joined;
}

crypto::Place place_of(WorkspaceId workspace, std::uint16_t column, const Bytes& row) {
    return {workspace, column, row, 0};
}

}  // namespace

bool is_sound(const keys::KeyRequest& request) {
    return is_sound(request.row, request.mode, request.subjects.size());
}

bool is_sound(const keys::KeyOpening& opening) {
    return is_sound(opening.row, opening.mode, opening.subjects.size()) &&
           (opening.mode == WrapMode::all || opening.subjects.size() == 1);
}

Result<keys::SealedKey> seal_key(WorkspaceId workspace,
                                 const SubjectKeys& subjects,
                                 const keys::KeyRequest& request) {
    const auto place = place_of(workspace, request.column, request.row);
    keys::SealedKey sealed;
    sealed.key = crypto::random_key();
    if (request.mode == WrapMode::all) {
        const auto joined = joined_key(subjects, request.subjects);
        if (!joined) return fail(keys::KeyError::cannot_open, "subject without a key");
        sealed.wraps.push_back(crypto::seal(*joined, sealed.key, place));
        return sealed;
    }
    for (const auto& creator : request.subjects) {
        const auto* key = find(subjects, creator);
        if (key == nullptr) return fail(keys::KeyError::cannot_open, "subject without a key");
        sealed.wraps.push_back(crypto::seal(*key, sealed.key, place));
    }
    return sealed;
}

Secret open_key(WorkspaceId workspace,
                const SubjectKeys& subjects,
                const keys::KeyOpening& opening) {
    const auto place = place_of(workspace, opening.column, opening.row);
    Result<Secret> opened;
    if (opening.mode == WrapMode::all) {
        const auto joined = joined_key(subjects, opening.subjects);
        if (joined) opened = crypto::open_secret(*joined, opening.wrap, place);
    } else if (const auto* key = find(subjects, opening.subjects.front())) {
        opened = crypto::open_secret(*key, opening.wrap, place);
    }
    if (!opened || opened->size() != crypto::k_key_bytes) return {};
    return std::move(*opened);
}

}  // namespace postern::vault
