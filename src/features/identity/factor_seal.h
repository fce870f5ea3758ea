#pragma once

#include "features/identity/factor_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"

#include <string>

namespace postern::identity {

/// What is sealed of a factor, bound to its row. Errors of all: those of keeper.

/// The row with both; it has its id already. `secret` is wiped.
async::Task<FactorRow> seal_factor(ipc::Link* keeper,
                                   FactorRow row,
                                   std::string name,
                                   Secret secret);
async::Task<std::string> open_factor_name(ipc::Link* keeper, FactorRow row);
async::Task<Secret> open_factor_secret(ipc::Link* keeper, FactorRow row);

}  // namespace postern::identity
