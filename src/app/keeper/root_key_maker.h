#pragma once

#include "platform/ipc/rpc.h"

namespace postern::app::keeper {

/// What keeper does before it is started. MakeRootKey and RestoreRootKey: a root key exists in
/// keeper's memory and in its file only. MoveStore: the keyring passes through no other process.
void serve_root_key(ipc::Router& router);

}  // namespace postern::app::keeper
