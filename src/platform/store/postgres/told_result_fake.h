#pragma once

#include "platform/store/postgres/libpq.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::store::postgres {

/// What a server may answer, and the functions of libpq that read it: what they give of a server's
/// bytes is only looked at by libpq for where it ends.
struct ToldResult {
    struct Column {
        Oid type = 0;
        int format = 1;
    };
    std::vector<Column> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
    std::map<int, std::string> error_fields;

    [[nodiscard]] const PGresult* as_result() const {
        return reinterpret_cast<const PGresult*>(this);
    }
    [[nodiscard]] static const ToldResult& of(const PGresult* result) {
        return *reinterpret_cast<const ToldResult*>(result);
    }
    [[nodiscard]] const std::optional<std::string>& cell(int row, int column) const {
        return rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
    }
    [[nodiscard]] const Column& column(int number) const {
        return columns[static_cast<std::size_t>(number)];
    }
};

inline Libpq told_libpq() {
    using Told = ToldResult;
    Libpq pq{};
    pq.rows = [](const PGresult* r) { return static_cast<int>(Told::of(r).rows.size()); };
    pq.columns = [](const PGresult* r) { return static_cast<int>(Told::of(r).columns.size()); };
    pq.type = [](const PGresult* r, int column) { return Told::of(r).column(column).type; };
    pq.format = [](const PGresult* r, int column) { return Told::of(r).column(column).format; };
    pq.is_null = [](const PGresult* r, int row, int column) {
        return Told::of(r).cell(row, column) ? 0 : 1;
    };
    pq.length = [](const PGresult* r, int row, int column) {
        const auto& cell = Told::of(r).cell(row, column);
        return cell ? static_cast<int>(cell->size()) : 0;
    };
    pq.value = [](const PGresult* r, int row, int column) -> char* {
        const auto& cell = Told::of(r).cell(row, column);
        return cell ? const_cast<char*>(cell->data()) : nullptr;
    };
    pq.error_field = [](const PGresult* r, int code) -> char* {
        const auto& fields = Told::of(r).error_fields;
        const auto found = fields.find(code);
        return found == fields.end() ? nullptr : const_cast<char*>(found->second.c_str());
    };
    return pq;
}

}  // namespace postern::store::postgres
