#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace postern::codec {

/// Takes the events of Boost.JSON's parser and builds our tree from them.
class JsonBuilder {
public:
    static constexpr std::size_t max_object_size = 1000;
    static constexpr std::size_t max_array_size = k_json_values_max;
    static constexpr std::size_t max_key_size = 256;
    static constexpr std::size_t max_string_size = std::size_t{1} << 31;

    using error_code = boost::system::error_code;
    using string_view = boost::json::string_view;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& code) { return open(Json::Fields(), code); }
    bool on_object_end(std::size_t, error_code& code) { return close(code); }
    bool on_array_begin(error_code& code) { return open(Json::Items(), code); }
    bool on_array_end(std::size_t, error_code& code) { return close(code); }
    bool on_key_part(string_view part, std::size_t, error_code&) {
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(string_view part, std::size_t, error_code& code) {
        key_.append(part.data(), part.size());
        const auto& fields = std::get<Json::Fields>(stack_.back().value_);
        const bool twice = std::any_of(fields.begin(), fields.end(),
                                       [this](const auto& f) { return f.first == key_; });
        if (twice) return refuse(JsonError::duplicate_field, code);
        keys_.push_back(std::move(key_));
        key_.clear();
        return true;
    }
    bool on_string_part(string_view part, std::size_t, error_code&) {
        text_.append(std::string_view(part.data(), part.size()));
        return true;
    }
    bool on_string(string_view part, std::size_t, error_code& code) {
        text_.append(std::string_view(part.data(), part.size()));
        WipedBytes text;
        text.swap(text_);
        return add(std::move(text), code);
    }
    bool on_number_part(string_view, error_code&) { return true; }
    bool on_int64(std::int64_t value, string_view, error_code& code) { return add(value, code); }
    bool on_uint64(std::uint64_t, string_view, error_code& code) {
        return add(Json::OtherNumber{}, code);
    }
    bool on_double(double, string_view, error_code& code) { return add(Json::OtherNumber{}, code); }
    bool on_bool(bool value, error_code& code) { return add(value, code); }
    bool on_null(error_code& code) { return add(std::monostate{}, code); }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }

    std::optional<JsonError> refused;
    Json root;

private:
    bool refuse(JsonError why, error_code& code) {
        refused = why;
        code = boost::json::make_error_code(boost::json::error::syntax);
        return false;
    }
    template <typename T>
    bool open(T container, error_code& code) {
        if (++values_ > k_json_values_max) return refuse(JsonError::too_many_values, code);
        Json json;
        json.value_ = std::move(container);
        stack_.push_back(std::move(json));
        return true;
    }
    bool close(error_code& code) {
        Json done = std::move(stack_.back());
        stack_.pop_back();
        return place(std::move(done), code);
    }
    template <typename T>
    bool add(T value, error_code& code) {
        if (++values_ > k_json_values_max) return refuse(JsonError::too_many_values, code);
        Json json;
        json.value_ = std::move(value);
        return place(std::move(json), code);
    }
    bool place(Json json, error_code&) {
        if (stack_.empty()) {
            root = std::move(json);
        } else if (auto* items = std::get_if<Json::Items>(&stack_.back().value_)) {
            items->push_back(std::move(json));
        } else {
            std::get<Json::Fields>(stack_.back().value_)
                .emplace_back(std::move(keys_.back()), std::move(json));
            keys_.pop_back();
        }
        return true;
    }

    std::vector<Json> stack_;
    std::vector<std::string> keys_;  // of the fields whose values are being read
    std::string key_;
    WipedBytes text_;
    std::size_t values_ = 0;
};

Result<Json> Json::parse(ByteView text) {
    boost::json::parse_options options;
    options.max_depth = k_json_depth_max;
    boost::json::basic_parser<JsonBuilder> parser(options);
    boost::system::error_code code;
    const auto used =
        parser.write_some(false, reinterpret_cast<const char*>(text.data()), text.size(), code);
    auto& builder = parser.handler();
    if (builder.refused) return fail(*builder.refused);
    if (code == boost::json::error::too_deep) return fail(JsonError::too_deep);
    if (code || used != text.size()) return fail(JsonError::malformed);
    return std::move(builder.root);
}

std::optional<std::string_view> Json::text() const {
    const auto* text = std::get_if<WipedBytes>(&value_);
    if (text == nullptr) return std::nullopt;
    return as_text(*text);
}

std::optional<std::int64_t> Json::integer() const {
    const auto* number = std::get_if<std::int64_t>(&value_);
    if (number == nullptr) return std::nullopt;
    return *number;
}

std::optional<bool> Json::boolean() const {
    const auto* flag = std::get_if<bool>(&value_);
    if (flag == nullptr) return std::nullopt;
    return *flag;
}

}  // namespace postern::codec
