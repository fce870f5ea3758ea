#include "features/vault/audit_service.h"

#include "features/vault/workspace_keys.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/evolving_key.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/keys/audit_keys.h"

#include <cstdint>
#include <utility>

namespace postern::vault {
namespace {

using ipc::IpcError;

Secret segment_key(const Secret& audit, ByteView label) {
    return crypto::derive_key(audit, "postern audit segment 1", label);
}

void put_number(Bytes& out, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(number >> shift));
}

/// Every part has one length.
Bytes statement_of(WorkspaceId workspace, const keys::AuditMark& mark) {
    Bytes bytes = to_bytes(workspace.bytes());
    put_number(bytes, static_cast<std::uint64_t>(mark.number));
    put_number(bytes, static_cast<std::uint64_t>(mark.at_ms));
    bytes.insert(bytes.end(), mark.record_mac.begin(), mark.record_mac.end());
    return bytes;
}

Secret mark_key(const Secret& audit, keys::AuditMarkKind kind) {
    return crypto::derive_key(audit, kind == keys::AuditMarkKind::anchor ? "postern audit anchor 1"
                                                                         : "postern audit base 1");
}

bool is_well_formed(const keys::AuditMark& mark) {
    return mark.number > 0 && mark.record_mac.size() == sizeof(crypto::Hash);
}

bool is_well_formed(const keys::AuditMac& mac) {
    return mac.label.size() == keys::k_audit_label_bytes &&
           mac.digest.size() == sizeof(crypto::Hash) && mac.step < keys::k_audit_segment_steps;
}

}  // namespace

async::Task<keys::OpenAuditSegment::Answer> AuditService::open_segment(
    keys::OpenAuditSegment asked) {
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    keys::OpenAuditSegment::Answer answer;
    answer.label = crypto::random_bytes(keys::k_audit_label_bytes);
    answer.key = segment_key(keys->audit, answer.label);
    co_return answer;
}

async::Task<keys::CheckAuditMacs::Answer> AuditService::check_macs(keys::CheckAuditMacs asked) {
    if (asked.macs.size() > k_macs_max) co_return fail(IpcError::too_large);
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    keys::CheckAuditMacs::Answer answer;
    Bytes label;
    crypto::EvolvingKey key;
    for (const auto& mac : asked.macs) {
        if (!is_well_formed(mac)) break;
        if (mac.label != label || mac.step < key.step()) {
            label = mac.label;
            key = crypto::EvolvingKey(segment_key(keys->audit, label));
        }
        key.move_to(mac.step);
        const auto right = key.mac(mac.step, mac.digest);
        if (!crypto::equal_in_constant_time(right, mac.mac)) break;
        ++answer.good;
    }
    co_return answer;
}

async::Task<keys::MarkAudit::Answer> AuditService::mark(keys::MarkAudit asked) {
    if (!is_well_formed(asked.mark)) co_return fail(IpcError::malformed);
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    const auto key = mark_key(keys->audit, asked.kind);
    keys::MarkAudit::Answer answer;
    answer.mac = to_bytes(crypto::hmac(key, statement_of(asked.workspace, asked.mark)));
    co_return answer;
}

async::Task<keys::CheckAuditMarks::Answer> AuditService::check_marks(keys::CheckAuditMarks asked) {
    if (asked.marks.size() > k_macs_max) co_return fail(IpcError::too_large);
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(asked.workspace));
    const auto key = mark_key(keys->audit, asked.kind);
    keys::CheckAuditMarks::Answer answer;
    for (const auto& mark : asked.marks) {
        const auto right = crypto::hmac(key, statement_of(asked.workspace, mark));
        const bool good = is_well_formed(mark) && crypto::equal_in_constant_time(right, mark.mac);
        answer.good.push_back(good ? 1 : 0);
    }
    co_return answer;
}

}  // namespace postern::vault
