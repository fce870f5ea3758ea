#pragma once

#include "app/control/control_protocol.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"

#include <string>

namespace postern::app::supervisor {

/// The files at the audit record's second place: PATH, to read and append, and PATH.1, which was
/// the one before.
struct AnchorFiles {
    os::Fd present;
    os::Fd before;
};
/// Makes PATH where it is not there. `rotate` makes PATH the one before; `accept` puts both aside
/// as PATH.accepted-N and PATH.1.accepted-N. A file that is a link, or that others may write, is
/// not one of ours. Errors: OsError.
[[nodiscard]] Result<AnchorFiles> open_anchor_files(const std::string& path,
                                                    control::AnchorStep step);

}  // namespace postern::app::supervisor
