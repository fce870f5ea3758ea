#pragma once

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/cbor.h"
#include "foundation/codec/webauthn/assertion.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/registration.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace postern::webauthn::test {

/// One of vectors.txt, which make_vectors.py writes.
class Vector {
public:
    explicit Vector(const std::string& name) {
        std::ifstream in(std::string(POSTERN_SOURCE_DIR) +
                         "/src/foundation/codec/webauthn/vectors.txt");
        for (std::string field, value; in >> field >> value;) {
            if (field.substr(0, field.rfind('.')) == name)
                fields_[field.substr(name.size() + 1)] = codec::parse_hex(value).value();
        }
    }

    [[nodiscard]] const Bytes& at(const std::string& field) const { return fields_.at(field); }
    [[nodiscard]] RegistrationResponse registration() const {
        return {.client_data_json = at("client_data"),
                .attestation_object = at("attestation_object")};
    }
    [[nodiscard]] AssertionResponse assertion() const {
        return {.client_data_json = at("get_client_data"),
                .authenticator_data = at("authenticator_data"),
                .signature = at("signature")};
    }
    /// Of the registration, or of the assertion ("get_challenge").
    [[nodiscard]] Expected expected(const std::string& challenge = "challenge") const {
        return {.challenge = at(challenge),
                .origins = {"https://other.example", "https://example.org"},
                .rp_id = "example.org"};
    }

private:
    std::map<std::string, Bytes> fields_;
};

/// The part of an attestation object that stands last.
inline Bytes authenticator_data_of(const Bytes& attestation_object) {
    const auto object = codec::Cbor::parse(attestation_object);
    return to_bytes(*object->find("authData")->bytes());
}

/// A byte string in CBOR, of less than 64 KiB.
inline Bytes byte_string(ByteView bytes) {
    const auto low = static_cast<std::uint8_t>(bytes.size());
    Bytes out{static_cast<std::uint8_t>(0x40U + low)};
    if (bytes.size() > 23) out = {0x58, low};
    if (bytes.size() > 255) out = {0x59, static_cast<std::uint8_t>(bytes.size() >> 8U), low};
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
}

/// {"fmt": format, "attStmt": statement, "authData": data}; the statement is CBOR already.
inline Bytes attestation_object(const std::string& format, ByteView statement, ByteView data) {
    const auto format_head = static_cast<char>(0x60U + format.size());
    const std::string start = std::string("\xa3\x63") + "fmt" + format_head + format + "\x67" +
                              "attStmt" + std::string(as_text(statement)) + "\x68" + "authData";
    return to_bytes(start + std::string(as_text(byte_string(data))));
}

/// With the first `from` turned into `to`.
inline Bytes replaced(const Bytes& bytes, std::string_view from, std::string_view to) {
    std::string text(as_text(bytes));
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return to_bytes(text.replace(at, from.size(), to));
}

}  // namespace postern::webauthn::test
