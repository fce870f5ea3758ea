#include "foundation/crypto/aead.h"
#include "foundation/crypto/random.h"

#include <benchmark/benchmark.h>

namespace postern::crypto {
namespace {

const Place k_place{.workspace = {}, .column = 7, .row = Bytes(16, 1), .epoch = 0};

void set_bytes(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

void seal_record(benchmark::State& state) {
    const auto key = random_secret(32);
    const Bytes plain(static_cast<std::size_t>(state.range(0)), 0x41);
    for (auto _ : state)
        benchmark::DoNotOptimize(seal(key, plain, k_place));
    set_bytes(state);
}

void open_record(benchmark::State& state) {
    const auto key = random_secret(32);
    const auto sealed = seal(key, Bytes(static_cast<std::size_t>(state.range(0)), 0x41), k_place);
    for (auto _ : state)
        benchmark::DoNotOptimize(open(key, sealed, k_place));
    set_bytes(state);
}

void seal_large(benchmark::State& state) {
    const auto key = random_secret(32);
    const Bytes plain(static_cast<std::size_t>(state.range(0)), 0x41);
    for (auto _ : state)
        benchmark::DoNotOptimize(seal_bulk(key, plain, k_place));
    set_bytes(state);
}

void open_large(benchmark::State& state) {
    const auto key = random_secret(32);
    const Bytes plain(static_cast<std::size_t>(state.range(0)), 0x41);
    const auto sealed = seal_bulk(key, plain, k_place);
    for (auto _ : state)
        benchmark::DoNotOptimize(open_bulk(key, sealed, k_place));
    set_bytes(state);
}

BENCHMARK(seal_record)->Arg(256)->Arg(4 << 10);
BENCHMARK(open_record)->Arg(256)->Arg(4 << 10);
BENCHMARK(seal_large)->Arg(64 << 10)->Arg(1 << 20);
BENCHMARK(open_large)->Arg(64 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace postern::crypto
