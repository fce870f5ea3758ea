#include "foundation/codec/json.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::codec {

void JsonWriter::comma() {
    if (!first_) out_ += ',';
    first_ = false;
}

void JsonWriter::name(std::string_view name) {
    comma();
    if (name.empty()) return;
    quoted(name);
    out_ += ':';
}

void JsonWriter::quoted(std::string_view text) {
    constexpr std::string_view k_hex = "0123456789abcdef";
    out_ += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '"': out_ += "\\\""; break;
            case '\\': out_ += "\\\\"; break;
            case '\n': out_ += "\\n"; break;
            case '\r': out_ += "\\r"; break;
            case '\t': out_ += "\\t"; break;
            default:
                if (byte < 0x20 || byte == 0x7f) {
                    out_ += "\\u00";
                    out_ += k_hex[byte >> 4];
                    out_ += k_hex[byte & 15U];
                } else {
                    out_ += c;
                }
        }
    }
    out_ += '"';
}

JsonWriter& JsonWriter::begin_object(std::string_view field_name) {
    name(field_name);
    out_ += '{';
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end_object() {
    out_ += '}';
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::begin_array(std::string_view field_name) {
    name(field_name);
    out_ += '[';
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end_array() {
    out_ += ']';
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::field(std::string_view field_name, std::string_view value) {
    name(field_name);
    quoted(value);
    return *this;
}

JsonWriter& JsonWriter::field(std::string_view field_name, std::int64_t value) {
    return raw_field(field_name, std::to_string(value));
}

JsonWriter& JsonWriter::field(std::string_view field_name, bool value) {
    return raw_field(field_name, value ? "true" : "false");
}

JsonWriter& JsonWriter::null_field(std::string_view field_name) {
    return raw_field(field_name, "null");
}

JsonWriter& JsonWriter::item(std::string_view value) {
    comma();
    quoted(value);
    return *this;
}

JsonWriter& JsonWriter::raw_field(std::string_view field_name, std::string_view json) {
    name(field_name);
    out_ += json;
    return *this;
}

JsonWriter& JsonWriter::raw_item(std::string_view json) {
    comma();
    out_ += json;
    return *this;
}

}  // namespace postern::codec
