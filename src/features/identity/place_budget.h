#pragma once

#include "foundation/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace postern::identity {

/// How often something may be tried from one network, and in all, in each stretch of time. Kept in
/// memory: what a restart forgets is bounded by what lasts (attempts.h).
class PlaceBudget {
public:
    struct Limits {
        std::int64_t at_place = 0;
        std::int64_t in_all = INT64_MAX;
        std::int64_t stretch_s = 60;
    };
    explicit PlaceBudget(Limits limits) : limits_(limits) {}

    /// Takes one. `place`: known_clients.h, network_of(). 0: it may be tried; else for how many
    /// seconds none is.
    [[nodiscard]] std::int64_t take(const std::string& place, UnixMs now_ms);
    /// One that was taken at that time does not count.
    void give_back(const std::string& place, UnixMs taken_ms);
    [[nodiscard]] bool is_spent(const std::string& place) const;

private:
    /// Beyond so many networks the others share what a wider one has, beyond twice as many what one
    /// for all has.
    static constexpr std::size_t k_places_max = 20'000;

    [[nodiscard]] std::string counted_as(const std::string& place) const;

    Limits limits_;
    UnixMs began_ms_ = 0;
    std::int64_t taken_ = 0;
    std::map<std::string, std::int64_t> taken_at_;
};

}  // namespace postern::identity
