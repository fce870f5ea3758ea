#include "features/vault/message_keys.h"
#include "foundation/base/check.h"

#include <benchmark/benchmark.h>
#include <array>

namespace postern::vault {
namespace {

constexpr std::uint16_t k_column = 7;

template <typename IdType>
IdType numbered(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = number;
    return IdType(bytes);
}

/// What keeper does for one OpenKeys call once the subject keys are in its cache.
void open_batch(benchmark::State& state) {
    const auto workspace = numbered<WorkspaceId>(1);
    const auto creator = numbered<CreatorId>(1);
    const SubjectKeys subjects{
        {creator, std::make_shared<const Secret>(Secret::copy_of(Bytes(32, 1)))}};
    std::vector<keys::KeyOpening> openings;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        const Bytes row(16, static_cast<std::uint8_t>(i));
        const keys::KeyRequest request{k_column, row, keys::WrapMode::each, {creator}};
        auto sealed = seal_key(workspace, subjects, request);
        POSTERN_CHECK(sealed.has_value());
        openings.push_back({k_column, row, keys::WrapMode::each, {creator}, sealed->wraps.front()});
    }
    for (auto _ : state) {
        for (const auto& opening : openings) {
            benchmark::DoNotOptimize(open_key(workspace, subjects, opening));
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(open_batch)->Arg(1)->Arg(50)->Arg(200);

}  // namespace
}  // namespace postern::vault
