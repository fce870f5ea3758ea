#include "edge/api/router.h"

#include "edge/api/call.h"
#include "features/identity/actor.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

constexpr std::size_t k_parameter_bytes_max = 64;

std::string_view take_segment(std::string_view& rest) {
    const auto end = rest.find('/');
    const auto segment = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return segment;
}

bool is_parameter(std::string_view text) {
    if (text.empty() || text.size() > k_parameter_bytes_max) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
    const auto slashes = [](std::string_view text) {
        return std::count(text.begin(), text.end(), '/');
    };
    if (slashes(pattern) != slashes(path)) return std::nullopt;
    std::vector<std::string> parameters;
    while (!pattern.empty() || !path.empty()) {
        const auto wanted = take_segment(pattern);
        const auto given = take_segment(path);
        if (wanted.starts_with('{')) {
            if (!is_parameter(given)) return std::nullopt;
            parameters.emplace_back(given);
        } else if (wanted != given) {
            return std::nullopt;
        }
    }
    return parameters;
}

}  // namespace

Endpoint in_any_workspace(Endpoint endpoint) {
    endpoint.unnamed = identity::Unnamed::oldest;
    return endpoint;
}

Endpoint open_to_all(Answer (*function)(Call)) {
    Endpoint endpoint;
    endpoint.run = [function](Call call, const identity::Actor&) -> Answer {
        return function(std::move(call));
    };
    return endpoint;
}

void Router::add(std::string method, std::string pattern, Audited audited, Endpoint endpoint) {
    routes_.push_back({std::move(method), std::move(pattern), audited, std::move(endpoint)});
}

Match Router::find(std::string_view method, std::string_view path) const {
    const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
    Match result;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        auto parameters = match(routes_[i].pattern, path);
        if (!parameters) continue;
        if (routes_[i].method == wanted) {
            // A segment that is named goes before a parameter, in whatever order they were added.
            if (result.route && result.parameters.size() <= parameters->size()) continue;
            result.route = &routes_[i];
            result.index = static_cast<std::ptrdiff_t>(i);
            result.parameters = std::move(*parameters);
            continue;
        }
        if (!result.allowed.empty()) result.allowed += ", ";
        result.allowed += routes_[i].method;
        if (routes_[i].method == "GET") result.allowed += ", HEAD";
    }
    if (result.route) result.allowed.clear();
    return result;
}

}  // namespace postern::api
