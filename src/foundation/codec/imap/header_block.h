#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <optional>
#include <string_view>
#include <vector>

namespace postern::imap {

inline constexpr std::size_t k_header_block_bytes_max = 2 * 1024 * 1024;
inline constexpr std::size_t k_header_fields_max = 2000;

/// The fields of a mail header, unfolded (RFC 5322 section 2.2.3), otherwise as they stand: no
/// comment is dropped, no encoded word decoded. Lines that are no field are skipped, as every mail
/// client does. Wiped when dropped.
class HeaderBlock {
public:
    /// Errors: literal_too_large, too_many_results.
    [[nodiscard]] static Result<HeaderBlock> parse(ByteView block);

    /// The values of all fields of this name (case does not matter), topmost first, without
    /// surrounding white space. Lifetime: views into this object.
    [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
    /// The topmost one.
    [[nodiscard]] std::optional<std::string_view> first(std::string_view name) const;
    [[nodiscard]] std::size_t field_count() const noexcept { return fields_.size(); }

private:
    struct Field {
        std::size_t name_at = 0;
        std::size_t name_size = 0;
        std::size_t value_at = 0;
        std::size_t value_size = 0;
    };
    HeaderBlock() = default;
    [[nodiscard]] std::string_view part(std::size_t at, std::size_t size) const {
        return as_text(text_).substr(at, size);
    }
    Result<> begin_field(std::string_view line);
    void continue_field(std::string_view line);

    WipedBytes text_;
    std::vector<Field> fields_;
};

}  // namespace postern::imap
