#pragma once

#include "features/trust/trust_rows.h"
#include "foundation/base/bytes.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::trust {

/// Every account's stored value of one column of `people`, opened by keeper, in the order given.
/// Errors: out_of_sight, and keeper's. Lifetime: the link outlives the call.
async::Task<std::vector<Bytes>> open_people(ipc::Link* keeper,
                                            std::uint16_t column,
                                            std::vector<rows::OfPerson> sealed);

/// The names of workspaces, whose keys are each one's own, in the order given. Errors and lifetime:
/// the same.
async::Task<std::vector<std::string>> open_workspace_names(ipc::Link* keeper,
                                                           std::vector<rows::OfWorkspace> sealed);

}  // namespace postern::trust
