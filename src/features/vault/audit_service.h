#pragma once

#include "features/vault/keeper_core.h"
#include "platform/keys/audit_keys.h"

#include <memory>
#include <utility>

namespace postern::vault {

/// Keys for audit records that will be written, and the judgement of those that were; marks of how
/// far a record had come.
class AuditService {
public:
    static constexpr std::size_t k_macs_max = 1000;

    explicit AuditService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<keys::OpenAuditSegment::Answer> open_segment(keys::OpenAuditSegment asked);
    async::Task<keys::CheckAuditMacs::Answer> check_macs(keys::CheckAuditMacs asked);
    async::Task<keys::MarkAudit::Answer> mark(keys::MarkAudit asked);
    async::Task<keys::CheckAuditMarks::Answer> check_marks(keys::CheckAuditMarks asked);

private:
    std::shared_ptr<KeeperCore> core_;
};

}  // namespace postern::vault
