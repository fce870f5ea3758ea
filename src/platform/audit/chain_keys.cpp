#include "platform/audit/chain_keys.h"

#include "platform/audit/audit_error.h"
#include "platform/keys/audit_keys.h"

#include <algorithm>
#include <utility>

namespace postern::audit {

namespace {

/// Left for records that wait for the store: as many as it lets wait.
constexpr std::uint32_t k_steps_left = 1024;

}  // namespace

bool ChainKeys::has_room(WorkspaceId workspace) const {
    const std::lock_guard lock(mutex_);
    const auto found = chains_.find(workspace);
    return found != chains_.end() &&
           found->second.key.step() < keys::k_audit_segment_steps - k_steps_left;
}

void ChainKeys::begin(WorkspaceId workspace, Bytes label, Secret key) {
    const std::lock_guard lock(mutex_);
    auto& chain = chains_[workspace];
    chain.label = std::move(label);
    chain.key = crypto::EvolvingKey(std::move(key));
}

Result<> ChainKeys::link(WorkspaceId workspace,
                         const std::optional<StoredRecord>& last,
                         StoredRecord& record) const {
    const std::lock_guard lock(mutex_);
    const auto found = chains_.find(workspace);
    if (found == chains_.end()) return fail(AuditError::no_segment);
    const auto& chain = found->second;
    const bool goes_on = last && last->segment == chain.label;
    const auto step = goes_on ? last->step + 1 : 0;
    record.number = last ? last->number + 1 : 1;
    if (record.number <= chain.number || step < chain.key.step()) {
        return fail(AuditError::rolled_back);
    }
    if (step >= std::int64_t{keys::k_audit_segment_steps}) return fail(AuditError::segment_full);
    record.segment = chain.label;
    record.step = step;
    const auto digest = digest_of(workspace, record, last ? ByteView(last->mac) : ByteView{});
    const auto mac = chain.key.mac(static_cast<std::uint32_t>(step), digest);
    record.mac.assign(mac.begin(), mac.end());
    return {};
}

void ChainKeys::committed(WorkspaceId workspace, const StoredRecord& record) {
    const std::lock_guard lock(mutex_);
    const auto found = chains_.find(workspace);
    if (found == chains_.end()) return;
    auto& chain = found->second;
    chain.number = std::max(chain.number, record.number);
    if (chain.label == record.segment) {
        chain.key.move_to(static_cast<std::uint32_t>(record.step) + 1);
    }
}

}  // namespace postern::audit
