#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

/// What front asks of keeper about stored data: keys of single objects, never a key above them.
namespace postern::keys {

/// Ensures that the workspace and its keys exist. Idempotent.
struct CreateWorkspace {
    static constexpr std::uint16_t k_method = 1;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    WorkspaceId workspace;
    auto wire() { return std::tie(workspace); }
};

/// Ensures that the creators have subject keys. Idempotent.
struct CreateSubjects {
    static constexpr std::uint16_t k_method = 2;
    using Answer = ipc::Nothing;
    using Failure = KeyError;
    WorkspaceId workspace;
    std::vector<CreatorId> subjects;
    auto wire() { return std::tie(workspace, subjects); }
};

/// `each`: any one subject's key opens the object (an outbound body has a wrap per recipient).
/// `all`: every subject's key is needed (a raw mail: erasing one of its people destroys it).
enum class WrapMode : std::uint8_t { each, all };

struct KeyRequest {
    std::uint16_t column = 0;  ///< frozen data-map id of the column that holds the sealed object
    Bytes row;                 ///< the object's row key
    WrapMode mode = WrapMode::each;
    std::vector<CreatorId> subjects;  ///< 1 to 100
    auto wire() { return std::tie(column, row, mode, subjects); }
};
struct SealedKey {
    Secret key;                ///< 32 fresh random bytes, for this object only
    std::vector<Bytes> wraps;  ///< one per subject in their order; a single one for `all`
    auto wire() { return std::tie(key, wraps); }
};
/// Makes object keys and their wraps. The caller seals the object under the key and forgets it.
struct SealKeys {
    static constexpr std::uint16_t k_method = 3;
    struct Answer {
        std::vector<SealedKey> keys;
        auto wire() { return std::tie(keys); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    std::vector<KeyRequest> requests;  ///< at most 1,000
    auto wire() { return std::tie(workspace, requests); }
};

struct KeyOpening {
    std::uint16_t column = 0;
    Bytes row;
    WrapMode mode = WrapMode::each;
    std::vector<CreatorId> subjects;  ///< `each`: the one whose wrap this is
    Bytes wrap;
    auto wire() { return std::tie(column, row, mode, subjects, wrap); }
};
/// Opens object keys. An empty secret stands where one does not open (erased, moved, changed).
struct OpenKeys {
    static constexpr std::uint16_t k_method = 4;
    struct Answer {
        std::vector<Secret> keys;
        auto wire() { return std::tie(keys); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    std::uint64_t handle = 0;  ///< of the session or job that reads; keeper counts per handle
    std::vector<KeyOpening> openings;  ///< at most 5,000
    auto wire() { return std::tie(workspace, handle, openings); }
};

/// A small record under the workspace's settings key (an integration's name, a person's address).
struct Record {
    std::uint16_t column = 0;
    Bytes row;
    Bytes content;
    auto wire() { return std::tie(column, row, content); }
};
struct Records {
    std::vector<Bytes> contents;
    auto wire() { return std::tie(contents); }
};
struct SealRecords {
    static constexpr std::uint16_t k_method = 5;
    using Answer = Records;
    using Failure = KeyError;
    WorkspaceId workspace;
    std::vector<Record> records;
    auto wire() { return std::tie(workspace, records); }
};
/// Errors: cannot_open, for all of them, when one does not open.
struct OpenRecords {
    static constexpr std::uint16_t k_method = 6;
    using Answer = Records;
    using Failure = KeyError;
    WorkspaceId workspace;
    std::vector<Record> records;
    auto wire() { return std::tie(workspace, records); }
};

/// Each purpose has a key of its own: equal values in two of them have nothing in common.
enum class MacPurpose : std::uint8_t {
    creator_address,
    person_address,
    request,
    message_id,
    folder,
    origin,
};
inline constexpr std::size_t k_mac_purposes = 6;
/// Keyed MACs of 32 bytes: blind-index tokens, idempotency rows, message ids.
struct ComputeMacs {
    static constexpr std::uint16_t k_method = 7;
    struct Answer {
        std::vector<Bytes> macs;
        auto wire() { return std::tie(macs); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    MacPurpose purpose = MacPurpose::request;
    std::vector<Bytes> values;  ///< at most 1,000
    auto wire() { return std::tie(workspace, purpose, values); }
};

/// What identifies this installation's keeper.
struct Identify {
    static constexpr std::uint16_t k_method = 8;
    struct Answer {
        Bytes seal_key;     ///< X25519, lives as long as this keeper process
        Bytes receipt_key;  ///< Ed25519 public half
        bool secrets_locked = false;
        auto wire() { return std::tie(seal_key, receipt_key, secrets_locked); }
    };
    using Failure = KeyError;
    auto wire() { return std::tie(); }
};

}  // namespace postern::keys
