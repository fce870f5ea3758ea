#include "platform/store/row.h"

#include "foundation/base/bytes.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace postern::store {

void Row::doom(std::size_t column, std::string_view wanted) const {
    verdict_->fail_with(Error(StoreError::corrupt,
                              "column " + std::to_string(column) + " is no " + std::string(wanted)),
                        false);
}

template <typename T>
const T* Row::cell(std::size_t column, std::string_view wanted) const {
    const T* found = column < cells_.size() ? std::get_if<T>(&cells_[column]) : nullptr;
    if (found == nullptr) doom(column, wanted);
    return found;
}

bool Row::is_null(std::size_t column) const {
    if (column >= cells_.size()) {
        doom(column, "column");
        return true;
    }
    return std::holds_alternative<std::monostate>(cells_[column]);
}

std::int64_t Row::integer(std::size_t column) const {
    const auto* found = cell<std::int64_t>(column, "integer");
    return found != nullptr ? *found : 0;
}

bool Row::boolean(std::size_t column) const {
    const auto* found = cell<std::int64_t>(column, "boolean");
    if (found == nullptr) return false;
    if (*found != 0 && *found != 1) doom(column, "boolean");
    return *found == 1;
}

ByteView Row::blob(std::size_t column) const {
    const auto* found = cell<Bytes>(column, "blob");
    return found != nullptr ? ByteView(*found) : ByteView();
}

std::array<std::uint8_t, 16> Row::id_bytes(std::size_t column) const {
    std::array<std::uint8_t, 16> bytes{};
    const auto* found = cell<Bytes>(column, "id");
    if (found == nullptr) return bytes;
    if (found->size() != bytes.size()) {
        doom(column, "id");
        return bytes;
    }
    std::memcpy(bytes.data(), found->data(), bytes.size());
    return bytes;
}

SealedBytes Row::sealed(std::size_t column) const {
    return SealedBytes(to_bytes(blob(column)));
}

std::string Row::clear_text(std::size_t column) const {
    const auto* found = cell<std::string>(column, "text");
    return found != nullptr ? *found : std::string();
}

Bytes Row::clear_bytes(std::size_t column) const {
    return to_bytes(blob(column));
}

std::optional<std::int64_t> Row::maybe_integer(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

std::optional<SealedBytes> Row::maybe_sealed(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return sealed(column);
}

std::optional<std::string> Row::maybe_clear_text(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return clear_text(column);
}

std::optional<Bytes> Row::maybe_clear_bytes(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return clear_bytes(column);
}

}  // namespace postern::store
