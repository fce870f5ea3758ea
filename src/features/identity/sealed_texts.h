#pragma once

#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/keys/message_keys.h"

#include <string>
#include <vector>

namespace postern::identity {

/// Many records under one workspace's settings key, in their order, some at a time. Errors:
/// cannot_open, for all of them, when one does not open.
async::Task<std::vector<std::string>> open_texts(ipc::Link* keeper,
                                                 WorkspaceId workspace,
                                                 std::vector<keys::Record> sealed);

}  // namespace postern::identity
