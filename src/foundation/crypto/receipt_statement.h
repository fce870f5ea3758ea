#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::crypto {

/// The words in front of a receipt's canonical JSON under its signature. They are keeper's own: a
/// receipt whose JSON tells of another ending, integration, epoch or time does not verify.
/// `ending` is "reseal" or "cut_off"; `at` is RFC 3339 as in the receipt.
[[nodiscard]] inline std::string receipt_statement(std::string_view ending,
                                                   std::string_view subject,
                                                   std::uint64_t epoch,
                                                   std::string_view at) {
    std::string text("postern receipt 1\0", 18);
    text.append(ending).append(" ").append(subject).append(" ");
    text.append(std::to_string(epoch)).append(" ").append(at).append("\n");
    return text;
}

}  // namespace postern::crypto
