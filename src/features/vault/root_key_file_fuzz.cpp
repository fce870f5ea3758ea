// Oracle: a file of a key's size is the key; of all others only one that was written under a
// passphrase opens, with it alone and unchanged in every byte; its costs are bounded before they
// are paid, and with no passphrase none are.
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace postern::vault {
namespace {

constexpr std::string_view k_phrase = "grey heron on one leg";
constexpr std::string_view k_magic = "postern-root-key-1\n";
constexpr std::size_t k_key_bytes = 32;

os::Fd file_of(ByteView content) {
    auto file = os::empty_memory_file();
    POSTERN_CHECK(file && os::append(file->get(), content));
    return std::move(*file);
}

Bytes bytes_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return to_bytes(bytes); });
}

Bytes written_file() {
    const auto file = file_of({});
    const auto key = Secret::copy_of(Bytes(k_key_bytes, 7));
    const auto phrase = Secret::copy_of(as_bytes(k_phrase));
    POSTERN_CHECK(write_root_key(file.get(), key, phrase, {.passes = 1, .memory_kib = 64}));
    return bytes_of(*os::read_secret(file.get(), 4096));
}

std::uint32_t number_at(const Bytes& file, std::size_t at) {
    return file[at] | file[at + 1] << 8U | file[at + 2] << 16U | std::uint32_t{file[at + 3]} << 24U;
}

/// Whether opening it is to be tried, and whether a fuzzer may.
struct Expected {
    bool has_head = false;
    bool is_cheap = false;
};

Expected expected_of(const Bytes& file, std::size_t size) {
    if (file.size() != size || !as_text(file).starts_with(k_magic)) return {};
    const auto passes = number_at(file, k_magic.size());
    const auto kib = number_at(file, k_magic.size() + 4);
    if (passes < 1 || passes > 20 || kib < 8 || kib > 1024 * 1024) return {};
    return {.has_head = true, .is_cheap = passes * kib <= 1024};
}

void check(const Bytes& file, const Bytes& written) {
    const auto fd = file_of(file);
    const auto bare = read_root_key(fd.get(), Secret());
    if (file.size() == k_key_bytes) {
        POSTERN_CHECK(bare && bytes_of(*bare) == file);
        return;
    }
    const auto expected = expected_of(file, written.size());
    POSTERN_CHECK(!bare && bare.error().is(expected.has_head ? VaultError::passphrase_needed
                                                             : VaultError::bad_root_key_file));
    if (expected.has_head && !expected.is_cheap) return;
    const auto opened = read_root_key(fd.get(), Secret::copy_of(as_bytes(k_phrase)));
    POSTERN_CHECK(opened.has_value() == (file == written));
    if (opened) POSTERN_CHECK(bytes_of(*opened) == Bytes(k_key_bytes, 7));
    if (expected.has_head && !opened)
        POSTERN_CHECK(opened.error().is(VaultError::wrong_passphrase));
}

}  // namespace
}  // namespace postern::vault

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    static const auto written = vault::written_file();
    FuzzInput input(data, size);
    if (input.byte() % 2 == 0) {
        vault::check(to_bytes(input.bytes()), written);
        return 0;
    }
    // Changes to a file that opens: where, and what is flipped there.
    auto changed = written;
    while (input.bytes().size() >= 2) {
        const auto at = input.byte() % changed.size();
        changed[at] ^= input.byte();
    }
    vault::check(changed, written);
    return 0;
}
