#pragma once

#include "features/mail/protocol/reader_protocol.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/os/system_call_filter.h"

namespace postern::app::reader {

/// The whole life of a reader on the connection at descriptor 3: one workspace's batch, then the
/// other end closes and the process ends. Returns the exit status.
[[nodiscard]] int run_reader(os::Violation violation);

/// ParseMail and ExtractAttachment. Both work at once, on the caller's thread.
void serve_mails(ipc::Router& router);

/// What a reader may still use; nothing it needs is beyond. Call it after reader::warm_up().
[[nodiscard]] bool limit_process();

}  // namespace postern::app::reader
