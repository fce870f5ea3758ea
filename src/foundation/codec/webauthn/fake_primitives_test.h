#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/webauthn/ceremony.h"
#include "foundation/codec/webauthn/client_data.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/primitives.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace postern::webauthn::test {

inline void append(Bytes& out, ByteView more) {
    out.insert(out.end(), more.begin(), more.end());
}

/// What a fuzzer can get past: every key is usable, and a signature is right when its first byte is
/// even, as that of DER is.
class FakePrimitives final : public Primitives {
public:
    [[nodiscard]] std::array<std::uint8_t, 32> sha256(ByteView data) const override {
        std::array<std::uint8_t, 32> sum{};
        for (std::size_t i = 0; i < data.size(); ++i)
            sum[i % 32] = static_cast<std::uint8_t>(sum[i % 32] * 31 + data[i]);
        return sum;
    }
    [[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b) const override {
        return std::ranges::equal(a, b);
    }
    [[nodiscard]] bool is_usable(const CoseKey&) const override { return true; }
    [[nodiscard]] bool verify(const CoseKey&, ByteView message, ByteView signature) const override {
        verified_ = to_bytes(message);
        return !signature.empty() && signature.front() % 2 == 0;
    }
    /// What the last signature was looked at for.
    [[nodiscard]] const Bytes& verified() const { return verified_; }

private:
    mutable Bytes verified_;
};

/// A response and what it is checked against: a choice, a line of client data, and the rest. What
/// the client data says is what was asked for, and the published vectors are of the right party.
struct FuzzedCeremony {
    FuzzedCeremony(const std::uint8_t* data, std::size_t size) {
        FuzzInput input(data, size);
        choice = input.byte();
        client_data_json = to_bytes(input.line());
        rest = to_bytes(input.bytes());
        expected.rp_id = "example.org";
        expected.user_verification_required = (choice & 1U) != 0;
        if (const auto client = parse_client_data(client_data_json)) {
            expected.challenge = client->challenge;
            expected.origins = {client->origin};
        }
        const auto found = std::ranges::search(rest, as_bytes("\xbf\xab\xc3\x74\x32\x95"));
        const auto hash = primitives.sha256(as_bytes(expected.rp_id));
        if (rest.end() - found.begin() >= 32) std::ranges::copy(hash, found.begin());
    }

    /// Each with one thing changed: nothing that was made for one is taken for them.
    [[nodiscard]] std::array<Expected, 3> others() const {
        std::array<Expected, 3> changed{expected, expected, expected};
        changed[0].challenge.push_back(0);
        changed[1].origins = {expected.origins.front() + '/'};
        changed[2].rp_id += '.';
        return changed;
    }

    FakePrimitives primitives;
    std::uint8_t choice = 0;
    Bytes client_data_json;
    Bytes rest;
    Expected expected;
};

}  // namespace postern::webauthn::test
