#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <string_view>

namespace postern::imap {

/// Secret: no copy is left outside `out`.
void append_base64(WipedBytes& out, ByteView bytes);
/// The message of SASL PLAIN (RFC 4616) in base64.
void append_sasl_plain(WipedBytes& out, std::string_view user, const Secret& password);

}  // namespace postern::imap
