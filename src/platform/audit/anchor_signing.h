#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_line.h"
#include "platform/ipc/link.h"
#include "platform/keys/audit_keys.h"

namespace postern::audit {

/// What keeper is asked about an anchor.
[[nodiscard]] keys::AuditMark mark_of(const Anchor& anchor);

/// With keeper's MAC. Errors: keeper's. Lifetime: the link outlives the call.
async::Task<Anchor> sign_anchor(ipc::Link* keeper, Anchor anchor, Deadline deadline);

}  // namespace postern::audit
