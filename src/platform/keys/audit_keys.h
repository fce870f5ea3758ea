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

/// What keeper says of one record, under a key that it gives to nobody.
enum class AuditMarkKind : std::uint8_t {
    anchor = 1,  ///< the record stood at that time: told at a second place
    base,        ///< it was the last of those that went because of their age
};
struct AuditMark {
    std::int64_t number = 0;
    Bytes record_mac;  ///< 32 bytes
    std::int64_t at_ms = 0;
    Bytes mac;  ///< keeper's; empty where it is asked for
    auto wire() { return std::tie(number, record_mac, at_ms, mac); }
};
struct MarkAudit {
    static constexpr std::uint16_t k_method = 52;
    struct Answer {
        Bytes mac;
        auto wire() { return std::tie(mac); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    AuditMarkKind kind = AuditMarkKind::anchor;
    AuditMark mark;
    auto wire() { return std::tie(workspace, kind, mark); }
};
/// Whether each of these marks is keeper's.
struct CheckAuditMarks {
    static constexpr std::uint16_t k_method = 53;
    struct Answer {
        Bytes good;  ///< 1 or 0 for each
        auto wire() { return std::tie(good); }
    };
    using Failure = KeyError;
    WorkspaceId workspace;
    AuditMarkKind kind = AuditMarkKind::anchor;
    std::vector<AuditMark> marks;  ///< at most 1,000
    auto wire() { return std::tie(workspace, kind, marks); }
};

}  // namespace postern::keys
