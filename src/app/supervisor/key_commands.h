#pragma once

#include "app/supervisor/outcome.h"
#include "edge/cli/installation.h"
#include "foundation/base/secret.h"
#include "platform/async/task_group.h"
#include "platform/keys/operator.h"

#include <string>

namespace postern::app::supervisor {

/// What the `keyring` commands do: with the running server's keeper, else with one of their own.
OutcomeTask<keys::MakeRecoveryKit::Answer> make_kit_once(boost::asio::any_io_executor executor,
                                                         cli::Place place,
                                                         keys::MakeRecoveryKit wanted);
/// The fingerprint of the key, which stays the same.
OutcomeTask<std::string> rewrap_once(boost::asio::any_io_executor executor,
                                     cli::Place place,
                                     Secret passphrase);
OutcomeTask<cli::Rotated> rotate_once(boost::asio::any_io_executor executor,
                                      cli::RotateCommand command);

}  // namespace postern::app::supervisor
