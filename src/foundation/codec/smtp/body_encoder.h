#pragma once

#include "foundation/base/bytes.h"

namespace postern::smtp {

/// A mail's bytes in the form of DATA: every line end is CRLF, a leading dot is doubled (RFC 5321
/// section 4.5.2). A bare CR or LF becomes a line end, so that no receiver sees another end of
/// the mail than we do. In any chunking the same bytes come out.
class BodyEncoder {
public:
    void encode(ByteView bytes, WipedBytes& out);
    /// Ends the last line; the final dot is not written here.
    void finish(WipedBytes& out);

private:
    bool at_line_start_ = true;
    bool after_cr_ = false;
};

}  // namespace postern::smtp
