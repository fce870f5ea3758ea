// Keeper with 100,000 people in its keyring: object keys opened in batches, and what a rotation of
// all keys costs the calls that go on beside it. Through keeper's own router, coding included, over
// a SQLite keyring in the working directory. Prints one `name value` line each.
#include "foundation/base/check.h"
#include "local_keeper.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/operator.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

namespace postern::vault {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint64_t k_people = 100'000;
constexpr std::size_t k_batch = 1000;
constexpr int k_opening_rounds = 200;
constexpr std::size_t k_calls_least = 4000;
constexpr std::uint16_t k_column = 109;

CreatorId person(std::uint64_t number) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < 8; ++i)
        bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
    // Ids of real life are not in the order of their look-ups either.
    bytes[0] = static_cast<std::uint8_t>(number * 157);
    return CreatorId(bytes);
}

class Bench {
public:
    Bench() {
        for (std::uint64_t first = 0; first < k_people; first += k_batch)
            add_people(first, k_batch);
    }

    void open_in_batches() {
        std::vector<keys::KeyOpening> openings;
        for (std::uint64_t i = 0; i < k_batch; ++i)
            openings.push_back(sealed_for(i));
        const auto start = Steady::now();
        for (int i = 0; i < k_opening_rounds; ++i) {
            // Handles and workspace have a ceiling a minute, which is what is not measured.
            const auto opened = keeper_.ask(
                keeper_.front(), keys::OpenKeys{workspace_, std::uint64_t(i + 1), openings});
            POSTERN_CHECK(opened.keys.size() == k_batch && !opened.keys.back().empty());
        }
        const std::chrono::duration<double> took = Steady::now() - start;
        std::printf("open_keys_per_s %.0f\n", k_opening_rounds * double(k_batch) / took.count());
    }

    void rotate() {
        const auto quiet = live_calls([](std::size_t calls) { return calls < k_calls_least; });
        report("without", quiet);
        keeper_.run_rotation();
        const auto start = Steady::now();
        (void)keeper_.ask(keeper_.operators(), keys::BeginRotation{true, true});
        std::chrono::duration<double> took{};
        const auto busy = live_calls([&](std::size_t) {
            const auto state = keeper_.ask(keeper_.operators(), keys::GetRotation{});
            took = Steady::now() - start;
            POSTERN_CHECK(state.failure.empty());
            return state.running;
        });
        report("with", busy);
        std::printf("rotation_s %.1f\np99_ratio %.2f\n", took.count(),
                    at(busy, 0.99) / at(quiet, 0.99));
    }

private:
    void add_people(std::uint64_t first, std::uint64_t count) {
        keys::CreateSubjects asked{workspace_, {}};
        for (std::uint64_t i = first; i < first + count; ++i)
            asked.subjects.push_back(person(i));
        (void)keeper_.ask(keeper_.front(), std::move(asked));
    }

    keys::KeyOpening sealed_for(std::uint64_t number) {
        keys::SealKeys asked{workspace_, {}};
        asked.requests.push_back({k_column, {1}, keys::WrapMode::each, {person(number)}});
        auto sealed = keeper_.ask(keeper_.front(), std::move(asked));
        return {
            k_column, {1}, keys::WrapMode::each, {person(number)}, sealed.keys.at(0).wraps.at(0)};
    }

    /// Half reads of a person that is not in the cache, half new people: milliseconds of each.
    template <typename F>
    std::vector<double> live_calls(F goes_on) {
        std::vector<double> times;
        while (goes_on(times.size())) {
            for (int i = 0; i < 2; ++i) {
                const auto start = Steady::now();
                if (i == 0) {
                    cold_ = (cold_ + 7919) % k_people;
                    (void)sealed_for(cold_);
                } else {
                    add_people(next_++, 1);
                }
                const std::chrono::duration<double, std::milli> took = Steady::now() - start;
                times.push_back(took.count());
            }
        }
        std::ranges::sort(times);
        return times;
    }

    static double at(const std::vector<double>& sorted, double part) {
        return sorted.at(static_cast<std::size_t>(part * double(sorted.size() - 1)));
    }
    static void report(const char* name, const std::vector<double>& times) {
        std::printf("live_%s calls %zu p50_ms %.3f p99_ms %.3f max_ms %.1f\n", name, times.size(),
                    at(times, 0.5), at(times, 0.99), times.back());
    }

    LocalKeeper keeper_;
    const WorkspaceId workspace_ = keeper_.workspace;
    std::uint64_t cold_ = 0;
    std::uint64_t next_ = k_people;
};

}  // namespace
}  // namespace postern::vault

int main() {
    postern::vault::Bench bench;
    bench.open_in_batches();
    bench.rotate();
    return 0;
}
