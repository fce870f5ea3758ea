#include "foundation/codec/webauthn/authenticator_data.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/cbor.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/webauthn_error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace postern::webauthn {
namespace {

constexpr auto k_malformed = WebauthnError::malformed_authenticator_data;

// Bits 1 and 5 are reserved: what they say is not looked at.
constexpr std::uint8_t k_user_present = 1U << 0U;
constexpr std::uint8_t k_user_verified = 1U << 2U;
constexpr std::uint8_t k_backup_eligible = 1U << 3U;
constexpr std::uint8_t k_backed_up = 1U << 4U;
constexpr std::uint8_t k_has_credential = 1U << 6U;
constexpr std::uint8_t k_has_extensions = 1U << 7U;

/// Bytes from the front, as long as they last.
class Front {
public:
    explicit Front(ByteView bytes) : left_(bytes) {}

    std::optional<ByteView> take(std::size_t count) {
        if (left_.size() < count) return std::nullopt;
        const auto taken = left_.first(count);
        left_ = left_.subspan(count);
        return taken;
    }
    /// Big-endian.
    std::optional<std::uint32_t> number(std::size_t bytes) {
        const auto taken = take(bytes);
        if (!taken) return std::nullopt;
        std::uint32_t value = 0;
        for (const std::uint8_t byte : *taken)
            value = value << 8U | byte;
        return value;
    }
    [[nodiscard]] ByteView left() const { return left_; }
    /// No more than are left.
    void skip(std::size_t count) { left_ = left_.subspan(count); }

private:
    ByteView left_;
};

Result<AttestedCredential> read_credential(Front& front) {
    AttestedCredential credential;
    const auto aaguid = front.take(credential.aaguid.size());
    const auto id_bytes = front.number(2);
    if (!aaguid || !id_bytes) return fail(k_malformed, "cut off");
    if (*id_bytes > k_credential_id_bytes_max) return fail(WebauthnError::credential_id_too_long);
    const auto id = front.take(*id_bytes);
    if (!id || id->empty()) return fail(k_malformed, "no credential id");
    std::copy(aaguid->begin(), aaguid->end(), credential.aaguid.begin());
    credential.id = to_bytes(*id);
    const auto from_key = front.left();
    const auto key = codec::Cbor::parse_prefix(from_key);
    if (!key) return fail(WebauthnError::malformed_key, std::string(key.error().code()));
    POSTERN_TRY(credential.key, read_cose_key(key->item));
    credential.cose_key = to_bytes(from_key.first(key->size));
    front.skip(key->size);
    return credential;
}

Result<> skip_extensions(Front& front) {
    const auto extensions = codec::Cbor::parse_prefix(front.left());
    if (!extensions) return fail(k_malformed, std::string(extensions.error().code()));
    if (extensions->item.entries() == nullptr) return fail(k_malformed, "extensions are no map");
    front.skip(extensions->size);
    return {};
}

}  // namespace

Result<AuthenticatorData> parse_authenticator_data(ByteView bytes) {
    if (bytes.size() > k_authenticator_data_bytes_max) return fail(k_malformed, "too large");
    Front front(bytes);
    AuthenticatorData data;
    const auto rp_id_hash = front.take(data.rp_id_hash.size());
    const auto flags = front.number(1);
    const auto sign_count = front.number(4);
    if (!rp_id_hash || !flags || !sign_count) return fail(k_malformed, "cut off");
    std::copy(rp_id_hash->begin(), rp_id_hash->end(), data.rp_id_hash.begin());
    data.user_present = (*flags & k_user_present) != 0;
    data.user_verified = (*flags & k_user_verified) != 0;
    data.backup_eligible = (*flags & k_backup_eligible) != 0;
    data.backed_up = (*flags & k_backed_up) != 0;
    data.sign_count = *sign_count;
    if ((*flags & k_has_credential) != 0) {
        POSTERN_TRY(data.credential, read_credential(front));
    }
    if ((*flags & k_has_extensions) != 0) {
        if (const auto ok = skip_extensions(front); !ok) return fail(ok.error());
    }
    if (!front.left().empty()) return fail(k_malformed, "trailing bytes");
    return data;
}

}  // namespace postern::webauthn
