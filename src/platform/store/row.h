#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/value.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::store {

/// The first failure inside a transaction; set once, it makes the transaction roll back whatever
/// its body returns.
struct Verdict {
    std::optional<Error> failure;
    /// False where the body could not see it: then whatever the body answers rests on an empty
    /// value and does not count.
    bool body_was_told = false;

    void fail_with(Error error, bool told) {
        if (failure) return;
        failure = std::move(error);
        body_was_told = told;
    }
};

using Cell = std::variant<std::monostate, std::int64_t, std::string, Bytes>;

/// One row of an answer, by column index. A column of another type than asked for (or NULL where
/// no maybe_ getter is used) gives an empty value and dooms the transaction with
/// StoreError::corrupt: callers need no check of their own.
///
/// Lifetime: read it inside the transaction's body; Database refuses bodies that return rows.
class Row {
public:
    Row(std::vector<Cell> cells, std::shared_ptr<Verdict> verdict)
        : cells_(std::move(cells)), verdict_(std::move(verdict)) {}
    Row(Row&&) noexcept = default;
    Row& operator=(Row&&) noexcept = default;
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
    /// All of it as it is stored, for who reads tables whole. Lifetime: as long as the row.
    [[nodiscard]] std::span<const Cell> cells() const noexcept { return cells_; }
    [[nodiscard]] bool is_null(std::size_t column) const;

    [[nodiscard]] std::int64_t integer(std::size_t column) const;
    /// Only 0 and 1 are booleans.
    [[nodiscard]] bool boolean(std::size_t column) const;
    template <typename Tag>
    [[nodiscard]] Id<Tag> id(std::size_t column) const {
        return Id<Tag>(id_bytes(column));
    }
    [[nodiscard]] SealedBytes sealed(std::size_t column) const;
    /// Lifetime: as long as the row.
    [[nodiscard]] ByteView sealed_view(std::size_t column) const { return blob(column); }
    [[nodiscard]] std::string clear_text(std::size_t column) const;
    [[nodiscard]] Bytes clear_bytes(std::size_t column) const;

    [[nodiscard]] std::optional<std::int64_t> maybe_integer(std::size_t column) const;
    template <typename Tag>
    [[nodiscard]] std::optional<Id<Tag>> maybe_id(std::size_t column) const {
        if (is_null(column)) return std::nullopt;
        return id<Tag>(column);
    }
    [[nodiscard]] std::optional<SealedBytes> maybe_sealed(std::size_t column) const;
    [[nodiscard]] std::optional<std::string> maybe_clear_text(std::size_t column) const;
    [[nodiscard]] std::optional<Bytes> maybe_clear_bytes(std::size_t column) const;

private:
    template <typename T>
    [[nodiscard]] const T* cell(std::size_t column, std::string_view wanted) const;
    [[nodiscard]] ByteView blob(std::size_t column) const;
    [[nodiscard]] std::array<std::uint8_t, 16> id_bytes(std::size_t column) const;
    void doom(std::size_t column, std::string_view wanted) const;

    std::vector<Cell> cells_;
    std::shared_ptr<Verdict> verdict_;
};

}  // namespace postern::store
