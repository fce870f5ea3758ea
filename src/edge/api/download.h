#pragma once

#include "edge/api/call.h"
#include "platform/os/fd.h"

#include <string>

namespace postern::api {

/// A file to be saved, never shown: whatever is in it runs nowhere.
struct DownloadHead {
    std::string name;  ///< as the sender called it; may be empty
    std::string type;  ///< as the sender said; not believed where it is not well formed
};
/// Errors: those of os::Mapping.
[[nodiscard]] Result<Response> download_response(DownloadHead head, os::Fd content);

/// The value of Content-Disposition (RFC 6266): an ASCII name and the real one, escaped.
[[nodiscard]] std::string disposition(std::string_view name);

}  // namespace postern::api
