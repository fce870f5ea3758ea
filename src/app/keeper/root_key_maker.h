#pragma once

#include "platform/ipc/rpc.h"

namespace postern::app::keeper {

/// MakeRootKey and RestoreRootKey: a root key exists in keeper's memory and in its file only.
void serve_root_key(ipc::Router& router);

}  // namespace postern::app::keeper
