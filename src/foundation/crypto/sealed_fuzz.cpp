// Oracle: of all inputs only the sealed bytes themselves open, and only in their place. The input
// is laid over them (xor), or stands in place of them. The key is fresh: no corpus holds them.
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/random.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    static const Secret key = crypto::random_key();
    static const Secret words = Secret::copy_of(as_bytes("what was sealed"));
    static const crypto::Place place{.workspace = {}, .column = 9, .row = {1, 2}, .epoch = 3};
    static const Bytes sealed = crypto::seal(key, words, place);
    static const Bytes committed = crypto::seal_committed(key, words, place);
    static const Bytes bulk = crypto::seal_bulk(key, as_bytes("what was sealed"), place);
    FuzzInput input(data, size);
    const bool lays_over = input.byte() % 2 == 0;
    const auto given = input.bytes();
    for (const Bytes* original : {&sealed, &committed, &bulk}) {
        Bytes tried = lays_over ? *original : to_bytes(given);
        for (std::size_t i = 0; lays_over && i < std::min(given.size(), tried.size()); ++i)
            tried[i] ^= given[i];
        POSTERN_CHECK(crypto::open(key, tried, place).has_value() == (tried == sealed));
        POSTERN_CHECK(crypto::open_committed(key, tried, place).has_value() ==
                      (tried == committed));
        POSTERN_CHECK(crypto::open_bulk(key, tried, place).has_value() == (tried == bulk));
        auto elsewhere = place;
        elsewhere.epoch = 4;
        POSTERN_CHECK(!crypto::open(key, tried, elsewhere));
    }
    return 0;
}
