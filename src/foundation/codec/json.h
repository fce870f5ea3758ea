#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::codec {

enum class JsonError { malformed, too_deep, too_many_values, duplicate_field };

constexpr ErrorInfo describe(JsonError error) {
    switch (error) {
        case JsonError::malformed: return {"malformed_json", "The body is not valid JSON."};
        case JsonError::too_deep: return {"malformed_json", "The JSON is nested too deeply."};
        case JsonError::too_many_values: return {"malformed_json", "The JSON has too many values."};
        case JsonError::duplicate_field:
            return {"duplicate_field", "A field stands in the JSON twice."};
    }
    return {"malformed_json", "The body is not valid JSON."};
}

inline constexpr std::size_t k_json_depth_max = 16;
inline constexpr std::size_t k_json_values_max = 20'000;

/// A parsed JSON document. Strings lie in wiped memory, since a request may carry secrets.
/// Move-only. Field order is kept.
class Json {
public:
    using Fields = std::vector<std::pair<std::string, Json>>;
    using Items = std::vector<Json>;
    /// Numbers that are no 64-bit integer keep only that they are numbers: no field of ours has
    /// one.
    struct OtherNumber {};

    Json() = default;
    Json(Json&&) = default;
    Json& operator=(Json&&) = default;

    /// Strict RFC 8259, UTF-8 checked, duplicate fields refused. Errors: all of JsonError.
    [[nodiscard]] static Result<Json> parse(ByteView text);

    [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    [[nodiscard]] const Fields* fields() const { return std::get_if<Fields>(&value_); }
    [[nodiscard]] const Items* items() const { return std::get_if<Items>(&value_); }
    [[nodiscard]] std::optional<std::string_view> text() const;
    [[nodiscard]] std::optional<std::int64_t> integer() const;
    [[nodiscard]] std::optional<bool> boolean() const;

private:
    friend class JsonBuilder;
    std::variant<std::monostate, bool, std::int64_t, OtherNumber, WipedBytes, Items, Fields> value_;
};

/// One thing wrong with a request, for the `errors` of a problem document.
struct FieldError {
    std::string field;      ///< "config.imap.port", "to[3].address"
    std::string_view code;  ///< missing, wrong_type, too_long, out_of_range, unknown_field, invalid
};

/// Reads an object's fields one by one and collects everything that is wrong with them. A field
/// that nobody asked for is an error: finish() reports it.
class ObjectReader {
public:
    /// `path` names the object inside the request, "" for the whole. Lifetime: `json` and `errors`
    /// outlive the reader.
    ObjectReader(const Json& json, std::string path, std::vector<FieldError>& errors);

    [[nodiscard]] std::string text(std::string_view name, std::size_t bytes_max);
    [[nodiscard]] std::optional<std::string> optional_text(std::string_view name,
                                                           std::size_t bytes_max);
    [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t low, std::int64_t high);
    [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view name,
                                                               std::int64_t low,
                                                               std::int64_t high);
    [[nodiscard]] bool flag(std::string_view name);  ///< false when absent
    /// Nothing when absent (an error was noted when `required`).
    [[nodiscard]] const Json* value(std::string_view name, bool required);
    /// Text that goes straight into locked memory, or {"sealed": base64}.
    struct SecretText {
        Secret clear;
        Bytes boxed;
    };
    [[nodiscard]] std::optional<SecretText> secret(std::string_view name,
                                                   std::size_t bytes_max,
                                                   bool required);
    /// Calls `each` with an index and the path of every item.
    void items(std::string_view name,
               std::size_t items_max,
               bool required,
               const std::function<void(const Json&, const std::string&)>& each);

    [[nodiscard]] std::string path_of(std::string_view name) const;
    void wrong(std::string_view name, std::string_view code);
    /// Notes every field that was not asked for.
    void finish();

private:
    const Json::Fields* fields_;
    std::string path_;
    std::vector<FieldError>& errors_;
    std::vector<std::string_view> asked_;
};

/// Writes JSON text; the caller keeps objects and arrays balanced.
class JsonWriter {
public:
    JsonWriter& begin_object(std::string_view name = {});
    JsonWriter& end_object();
    JsonWriter& begin_array(std::string_view name = {});
    JsonWriter& end_array();
    JsonWriter& field(std::string_view name, std::string_view value);
    JsonWriter& field(std::string_view name, const char* value) {
        return field(name, std::string_view(value));
    }
    JsonWriter& field(std::string_view name, std::int64_t value);
    JsonWriter& field(std::string_view name, bool value);
    JsonWriter& null_field(std::string_view name);
    JsonWriter& item(std::string_view value);
    /// `json` is JSON text already.
    JsonWriter& raw_field(std::string_view name, std::string_view json);
    JsonWriter& raw_item(std::string_view json);

    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    void comma();
    void name(std::string_view name);
    void quoted(std::string_view text);

    std::string out_;
    bool first_ = true;
};

}  // namespace postern::codec
