#include "platform/audit/anchor_signing.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_line.h"
#include "platform/ipc/link.h"
#include "platform/keys/audit_keys.h"

#include <utility>

namespace postern::audit {

keys::AuditMark mark_of(const Anchor& anchor) {
    return {anchor.number, anchor.record_mac, anchor.at_ms, anchor.mac};
}

async::Task<Anchor> sign_anchor(ipc::Link* keeper, Anchor anchor, Deadline deadline) {
    keys::MarkAudit ask{anchor.workspace, keys::AuditMarkKind::anchor, mark_of(anchor)};
    auto marked = co_await keeper->call(std::move(ask), deadline);
    if (!marked) co_return fail(std::move(marked.error()));
    anchor.mac = std::move(marked->mac);
    co_return anchor;
}

}  // namespace postern::audit
