#include "foundation/codec/json.h"

#include <benchmark/benchmark.h>

namespace postern::codec {
namespace {

std::string thread_of(std::int64_t messages) {
    JsonWriter out;
    out.begin_object().field("id", "thr_0123456789").begin_array("messages");
    for (std::int64_t i = 0; i < messages; ++i) {
        out.begin_object()
            .field("id", "msg_0123456789")
            .field("number", i)
            .field("text", std::string(600, 'x') +
                               "\n\"quoted\" and L\xc3\xa9"
                               "a")
            .begin_object("from")
            .field("name", "Maya")
            .field("address", "maya@brand.example")
            .end_object()
            .end_object();
    }
    out.end_array().end_object();
    return out.take();
}

void write_thread(benchmark::State& state) {
    for (auto _ : state)
        benchmark::DoNotOptimize(thread_of(state.range(0)));
}

void parse(benchmark::State& state) {
    const auto text = thread_of(state.range(0));
    for (auto _ : state)
        benchmark::DoNotOptimize(Json::parse(as_bytes(text)));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(write_thread)->Arg(1)->Arg(50);
BENCHMARK(parse)->Arg(1)->Arg(50);

}  // namespace
}  // namespace postern::codec
