#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::codec {
namespace {

constexpr std::size_t k_errors_max = 50;

}  // namespace

ObjectReader::ObjectReader(const Json& json, std::string path, std::vector<FieldError>& errors)
    : fields_(json.fields()), path_(std::move(path)), errors_(errors) {
    if (fields_ == nullptr) errors_.push_back({path_, "wrong_type"});
}

std::string ObjectReader::path_of(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void ObjectReader::wrong(std::string_view name, std::string_view code) {
    if (errors_.size() < k_errors_max) errors_.push_back({path_of(name), code});
}

const Json* ObjectReader::value(std::string_view name, bool required) {
    if (fields_ == nullptr) return nullptr;
    asked_.push_back(name);
    const auto found = std::find_if(fields_->begin(), fields_->end(),
                                    [&](const auto& field) { return field.first == name; });
    if (found == fields_->end() || found->second.is_null()) {
        if (required) wrong(name, "missing");
        return nullptr;
    }
    return &found->second;
}

std::optional<std::string> ObjectReader::optional_text(std::string_view name,
                                                       std::size_t bytes_max) {
    const auto* json = value(name, false);
    if (json == nullptr) return std::nullopt;
    const auto text = json->text();
    if (!text) {
        wrong(name, "wrong_type");
        return std::nullopt;
    }
    if (text->size() > bytes_max) {
        wrong(name, "too_long");
        return std::nullopt;
    }
    return std::string(*text);
}

std::string ObjectReader::text(std::string_view name, std::size_t bytes_max) {
    if (value(name, true) == nullptr) return {};
    return optional_text(name, bytes_max).value_or("");
}

std::optional<std::int64_t> ObjectReader::optional_integer(std::string_view name,
                                                           std::int64_t low,
                                                           std::int64_t high) {
    const auto* json = value(name, false);
    if (json == nullptr) return std::nullopt;
    const auto number = json->integer();
    if (!number) {
        wrong(name, "wrong_type");
        return std::nullopt;
    }
    if (*number < low || *number > high) {
        wrong(name, "out_of_range");
        return std::nullopt;
    }
    return number;
}

std::int64_t ObjectReader::integer(std::string_view name, std::int64_t low, std::int64_t high) {
    if (value(name, true) == nullptr) return low;
    return optional_integer(name, low, high).value_or(low);
}

bool ObjectReader::flag(std::string_view name) {
    const auto* json = value(name, false);
    if (json == nullptr) return false;
    const auto flag = json->boolean();
    if (!flag) wrong(name, "wrong_type");
    return flag.value_or(false);
}

std::optional<ObjectReader::SecretText> ObjectReader::secret(std::string_view name,
                                                             std::size_t bytes_max,
                                                             bool required) {
    const auto* json = value(name, required);
    if (json == nullptr) return std::nullopt;
    SecretText out;
    if (const auto text = json->text()) {
        if (text->size() > bytes_max) wrong(name, "too_long");
        out.clear = Secret::copy_of(as_bytes(text->substr(0, bytes_max)));
        return out;
    }
    if (json->fields() == nullptr) {
        wrong(name, "wrong_type");
        return std::nullopt;
    }
    ObjectReader inner(*json, path_of(name), errors_);
    constexpr std::size_t k_box_text_bytes = 512;
    const auto boxed = parse_base64(inner.text("sealed", 2 * bytes_max + k_box_text_bytes));
    inner.finish();
    if (!boxed || boxed->empty()) {
        wrong(name, "invalid");
        return std::nullopt;
    }
    out.boxed = *boxed;
    return out;
}

void ObjectReader::items(std::string_view name,
                         std::size_t items_max,
                         bool required,
                         const std::function<void(const Json&, const std::string&)>& each) {
    const auto* json = value(name, required);
    if (json == nullptr) return;
    const auto* items = json->items();
    if (items == nullptr) return wrong(name, "wrong_type");
    if (items->size() > items_max) return wrong(name, "too_long");
    for (std::size_t i = 0; i < items->size(); ++i) {
        each((*items)[i], path_of(name) + "[" + std::to_string(i) + "]");
    }
}

void ObjectReader::finish() {
    if (fields_ == nullptr) return;
    for (const auto& [name, json] : *fields_) {
        if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
            wrong(std::string_view(name).substr(0, 64), "unknown_field");
        }
    }
}

}  // namespace postern::codec
