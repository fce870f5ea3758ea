// Oracle: printed text is read as what was printed; changed recovery shares give their own kit or
// none; a share that is read prints as what is read again; a shared secret's one form is its own.
#include "features/vault/crockford.h"
#include "features/vault/printed_share.h"
#include "features/vault/recovery_kit.h"
#include "features/vault/shared_secret.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/base/secret.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using postern::ByteView;
using postern::Secret;

bool same(const Secret& a, const Secret& b) {
    return a.with_bytes([&](ByteView left) {
        return b.with_bytes([&](ByteView right) { return std::ranges::equal(left, right); });
    });
}

/// Two of three shares, some of their characters changed by the input (place, character): they give
/// the kit that they are of, or nothing.
void check_changed_shares(ByteView changes) {
    static const auto kit = postern::vault::make_recovery_kit({.shares = 3, .threshold = 2});
    postern::Bytes text;
    for (const auto& share : {&kit.shares[0], &kit.shares[2]}) {
        share->with_bytes(
            [&](ByteView line) { text.insert(text.end(), line.begin(), line.end()); });
        text.push_back('\n');
    }
    for (std::size_t i = 0; i + 1 < changes.size(); i += 2)
        text[changes[i] % text.size()] = changes[i + 1];
    const auto joined = postern::vault::join_recovery_shares(Secret::copy_of(text));
    POSTERN_CHECK(!changes.empty() || joined.has_value());
    if (joined) POSTERN_CHECK(joined->kit && joined->kit->public_key == kit.public_key);
}

void check_share(ByteView text, std::size_t secret_bytes) {
    using namespace postern::vault;
    constexpr std::string_view k_prefix = "postern-share-1:";
    for (const auto& one : shares_in(text, "postern-share-"))
        POSTERN_CHECK(starts_with(one, "postern-share-"));
    const auto read = parse_share(text, k_prefix, secret_bytes);
    if (!read) return;
    POSTERN_CHECK(read->part.bytes.size() == secret_bytes);
    const auto printed = text_of(*read, k_prefix);
    const auto again =
        printed.with_bytes([&](ByteView of) { return parse_share(of, k_prefix, secret_bytes); });
    POSTERN_CHECK(again && again->set == read->set && again->part.number == read->part.number);
    POSTERN_CHECK(same(again->part.bytes, read->part.bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::vault;
    postern::FuzzInput input(data, size);
    const std::size_t bytes = input.byte() % 40;
    const auto text = input.bytes();
    if (const auto read = crockford_bytes(text, bytes)) {
        POSTERN_CHECK(read->size() == bytes);
        const auto printed = crockford_text(*read);
        const auto again =
            printed.with_bytes([&](ByteView of) { return crockford_bytes(of, bytes); });
        POSTERN_CHECK(again && same(*again, *read));
    }
    const auto typed = Secret::copy_of(text);
    if (const auto joined = join_recovery_shares(typed))
        POSTERN_CHECK(joined->kit.has_value() != (joined->root_key.size() == 32));
    check_changed_shares(text);
    check_share(text, bytes);
    const auto canonical = canonical_shared_secret(typed);
    POSTERN_CHECK(same(canonical_shared_secret(canonical), canonical));
    if (check_strength(typed)) POSTERN_CHECK(text.size() >= 8);
    return 0;
}
