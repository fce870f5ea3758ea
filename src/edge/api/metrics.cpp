#include "edge/api/metrics.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {

MetricsText& MetricsText::family(std::string_view name,
                                 std::string_view kind,
                                 std::string_view help) {
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name).append(" ").append(kind).append("\n");
    return *this;
}

MetricsText& MetricsText::sample(std::string_view name, std::uint64_t value) {
    out_.append(name).append(" ").append(std::to_string(value)).append("\n");
    return *this;
}

MetricsText& MetricsText::sample(std::string_view name,
                                 std::string_view labels,
                                 std::uint64_t value) {
    out_.append(name).append("{").append(labels).append("} ");
    out_.append(std::to_string(value)).append("\n");
    return *this;
}

void Metrics::set_routes(std::vector<std::string> routes) {
    routes_.resize(1);
    for (auto& name : routes)
        routes_.push_back({std::move(name), {}, 0});
}

void Metrics::count(std::ptrdiff_t route, int status, std::uint64_t micros) {
    const auto index = static_cast<std::size_t>(route + 1);
    auto& counted = routes_[index < routes_.size() ? index : 0];
    ++counted.by_class[static_cast<std::size_t>(std::clamp(status / 100, 0, 5))];
    counted.micros += micros;
}

std::string Metrics::text() const {
    MetricsText out;
    constexpr std::string_view k_requests = "postern_http_requests_total";
    out.family(k_requests, "counter", "Requests by route and class of status.");
    for (const auto& route : routes_) {
        for (std::size_t i = 0; i < route.by_class.size(); ++i) {
            if (route.by_class[i] == 0) continue;
            const auto labels =
                "route=\"" + route.name + "\",status=\"" + std::to_string(i) + "xx\"";
            out.sample(k_requests, labels, route.by_class[i]);
        }
    }
    constexpr std::string_view k_time = "postern_http_request_microseconds_total";
    out.family(k_time, "counter", "Time spent on requests, by route.");
    for (const auto& route : routes_) {
        if (route.micros > 0) out.sample(k_time, "route=\"" + route.name + "\"", route.micros);
    }
    out.family("postern_event_streams", "gauge", "Open event streams.");
    out.sample("postern_event_streams", streams_);
    for (const auto& source : sources_)
        source(out);
    return out.take();
}

}  // namespace postern::api
