// Oracle: a seal that comes back from the store is looked at only within the sizes and costs that
// we make; with another's integration key none of it opens; joined content comes apart as it was.
#include "features/vault/sealing.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/base/secret.h"
#include "platform/ipc/wire.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const FuzzInput input(data, size);
    static const Secret integration_key = Secret::copy_of(Bytes(32, 5));
    const vault::IntegrationKey key{};
    ipc::Decoder decoder(input.bytes(), {});
    keys::Seal seal;
    if (decoder.get(seal) && decoder.finished() && vault::is_sound(seal)) {
        POSTERN_CHECK(!seal.holders.empty() && seal.holders.size() <= vault::k_holders_max);
        for (const auto& holder : seal.holders) {
            POSTERN_CHECK(holder.salt.size() == 16 && holder.public_key.size() == 32);
            POSTERN_CHECK(holder.passes >= 1 && holder.passes <= 10);
            POSTERN_CHECK(holder.memory_kib <= 256 * 1024);
        }
        POSTERN_CHECK(!vault::open_content(key, seal, integration_key));
    }
    const auto joined = Secret::copy_of(input.bytes());
    const auto content = vault::split_content(joined);
    if (!content) return 0;
    POSTERN_CHECK(content->destination.size() <= vault::k_destination_bytes_max);
    POSTERN_CHECK(content->credential.size() <= vault::k_credential_bytes_max);
    vault::join_content(content->destination, content->credential).with_bytes([&](ByteView again) {
        POSTERN_CHECK(std::ranges::equal(again, input.bytes()));
    });
    return 0;
}
