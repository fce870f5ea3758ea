#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::smtp {

/// RFC 3463: "5.7.1".
struct EnhancedCode {
    int status_class = 0;
    int subject = 0;
    int detail = 0;

    bool operator==(const EnhancedCode&) const = default;
};

/// A server's answer. The text is printable ASCII and bounded, but may hold addresses and ids: it
/// is for learning an id from and for the sender's eyes, never for a log.
struct Reply {
    int code = 0;  ///< 0: there was none
    std::optional<EnhancedCode> enhanced;
    std::string text;

    [[nodiscard]] bool is_positive() const noexcept { return code / 100 == 2; }
    [[nodiscard]] bool is_intermediate() const noexcept { return code / 100 == 3; }
    [[nodiscard]] bool is_transient() const noexcept { return code / 100 == 4; }
    [[nodiscard]] bool is_permanent() const noexcept { return code / 100 == 5; }
};

/// Cuts the server's bytes into answers; holds one at most.
class ReplyReader {
public:
    /// Takes bytes up to the end of one answer at most; returns how many it took. Afterwards
    /// complete() tells whether lines() are a whole answer.
    /// Errors: line_too_long, too_many_lines, protocol_violation.
    [[nodiscard]] Result<std::size_t> consume(ByteView bytes);

    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// What stands behind the code in each line.
    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }
    /// The answer; the reader begins a new one.
    [[nodiscard]] Reply take();

private:
    Result<> end_line();

    std::string line_;
    std::vector<std::string> lines_;
    int code_ = 0;
    bool after_cr_ = false;
    bool complete_ = false;
};

}  // namespace postern::smtp
