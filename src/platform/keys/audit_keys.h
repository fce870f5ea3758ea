#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

/// What the audit record of a workspace is chained with. Front gets keys for records to come, never
/// for one that was written: those keeper alone can make again, and it only compares.
namespace postern::keys {

/// How many records one segment's key leads to.
inline constexpr std::uint32_t k_audit_segment_steps = 4096;
inline constexpr std::size_t k_audit_label_bytes = 16;

/// A new segment of the workspace's chain, under a label that keeper draws.
struct OpenAuditSegment {
    static constexpr std::uint16_t k_method = 50;
    struct Answer {
        Bytes label;  ///< k_audit_label_bytes
        Secret key;   ///< of step 0, for crypto::EvolvingKey
        auto wire() { return std::tie(label, key); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    auto wire() { return std::tie(workspace); }
};

struct AuditMac {
    Bytes label;             ///< of its segment
    std::uint32_t step = 0;  ///< in it
    Bytes digest;            ///< of the record and what came before it: 32 bytes
    Bytes mac;
    auto wire() { return std::tie(label, step, digest, mac); }
};
/// Whether these are MACs of ours: how many of them are, up to the first one that is not.
struct CheckAuditMacs {
    static constexpr std::uint16_t k_method = 51;
    struct Answer {
        std::uint32_t good = 0;
        auto wire() { return std::tie(good); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    std::vector<AuditMac> macs;  ///< at most 1,000; quickest in the order of their steps
    auto wire() { return std::tie(workspace, macs); }
};

}  // namespace postern::keys
