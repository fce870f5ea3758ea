#pragma once

#include "foundation/base/bytes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::net::http {

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// The header fields of one request, in order. Bounded by the server's limits; wiped when freed,
/// for Authorization and Cookie are among them.
class Headers {
public:
    /// The first field of that name, in any case.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
    /// All fields of that name, joined as the standard allows: "a, b".
    [[nodiscard]] std::string joined(std::string_view name) const;

    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
    [[nodiscard]] std::string_view name(std::size_t index) const;
    [[nodiscard]] std::string_view value(std::size_t index) const;

    void add(std::string_view name, std::string_view value);
    /// Wipes, and keeps the memory for the next request.
    void clear();

private:
    struct Field {
        std::uint32_t at;
        std::uint32_t name_size;
        std::uint32_t value_size;
    };
    WipedBytes text_;
    std::vector<Field> fields_;
};

}  // namespace postern::net::http
