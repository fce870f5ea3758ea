#pragma once

#include "features/identity/passkeys.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/random.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern::identity::test {

inline const RelyingParty k_party{"postern.example", {"https://postern.example"}};

/// One key of an authenticator and the browser before it, as sections 5.8.1 and 6.1 of Web
/// Authentication describe them: Ed25519, attestation `none`. What it says can be set.
class PlayedAuthenticator {
public:
    bool verifies_user = true;
    bool is_backup_eligible = false;
    std::uint32_t count = 0;
    std::uint32_t step = 1;  ///< by which the counter grows; 0: it has none
    std::string origin = "https://postern.example";
    std::string rp_id = "postern.example";
    Bytes id = crypto::random_bytes(16);
    Bytes user_handle;  ///< of the last registration

    NewPasskey make(const CreationOptions& options, std::string name = "Key") {
        user_handle = options.user_handle;
        return {std::move(name),
                client_data("webauthn.create", options.challenge),
                attestation_object(),
                {"internal"}};
    }
    ShownPasskey sign(const Bytes& challenge, bool with_handle = true) {
        ShownPasskey out;
        out.credential_id = id;
        out.client_data_json = client_data("webauthn.get", challenge);
        out.authenticator_data = authenticator_data(0);
        auto message = out.authenticator_data;
        append(message, crypto::sha256(out.client_data_json));
        out.signature = crypto::sign(*pair_, message);
        if (with_handle) out.user_handle = user_handle;
        return out;
    }

private:
    static void append(Bytes& out, ByteView more) {
        out.insert(out.end(), more.begin(), more.end());
    }
    [[nodiscard]] Bytes client_data(std::string_view type, const Bytes& challenge) const {
        return to_bytes(R"({"type":")" + std::string(type) + R"(","challenge":")" +
                        codec::base64url(challenge) + R"(","origin":")" + origin +
                        R"(","crossOrigin":false})");
    }
    Bytes authenticator_data(std::uint8_t more_flags) {
        count += step;
        Bytes out = to_bytes(crypto::sha256(as_bytes(rp_id)));
        out.push_back(static_cast<std::uint8_t>(0x01U | (verifies_user ? 0x04U : 0U) |
                                                (is_backup_eligible ? 0x08U : 0U) | more_flags));
        for (int shift = 24; shift >= 0; shift -= 8)
            out.push_back(static_cast<std::uint8_t>(count >> shift));
        return out;
    }
    Bytes attestation_object() {
        auto data = authenticator_data(0x40);
        data.resize(data.size() + 16);  // an aaguid of zeroes
        data.push_back(0);
        data.push_back(static_cast<std::uint8_t>(id.size()));
        append(data, id);
        // {1: 1, 3: -8, -1: 6, -2: the point}
        append(data, Bytes{0xA4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32});
        append(data, pair_->public_key);
        auto out =
            to_bytes(std::string_view("\xA3\x63"
                                      "fmt\x64none\x67"
                                      "attStmt\xA0\x68"
                                      "authData\x58"));
        out.push_back(static_cast<std::uint8_t>(data.size()));
        append(out, data);
        return out;
    }

    std::shared_ptr<const crypto::SigningPair> pair_ =
        std::make_shared<const crypto::SigningPair>(crypto::make_signing_pair());
};

}  // namespace postern::identity::test
