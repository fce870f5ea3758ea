#pragma once

#include "foundation/base/id.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace postern::api {

/// Writes Prometheus text. Names and labels are literals or enum names: no personal data.
class MetricsText {
public:
    /// Once per family, before its samples. `kind`: counter or gauge.
    MetricsText& family(std::string_view name, std::string_view kind, std::string_view help);
    MetricsText& sample(std::string_view name, std::uint64_t value);
    /// `labels` as they stand between the braces.
    MetricsText& sample(std::string_view name, std::string_view labels, std::uint64_t value);
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    std::string out_;
};

/// What the server counts about itself: one series per route and class of status, so their number
/// is fixed. Executor: front's thread.
class Metrics {
public:
    /// Further families, written at each look.
    using Source = std::function<void(MetricsText&)>;
    void add_source(Source source) { sources_.push_back(std::move(source)); }

    /// Once, with the patterns of all routes; index -1 below stands for "no route".
    void set_routes(std::vector<std::string> routes);
    void count(std::ptrdiff_t route, int status, std::uint64_t micros);
    void stream_opened(WorkspaceId workspace) {
        ++streams_;
        ++streams_of_[workspace];
    }
    void stream_closed(WorkspaceId workspace) {
        --streams_;
        if (--streams_of_[workspace] == 0) streams_of_.erase(workspace);
    }
    [[nodiscard]] std::size_t streams() const { return streams_; }
    [[nodiscard]] std::size_t streams_of(WorkspaceId workspace) const {
        const auto found = streams_of_.find(workspace);
        return found == streams_of_.end() ? 0 : found->second;
    }

    [[nodiscard]] std::string text() const;

private:
    struct Route {
        std::string name;
        std::array<std::uint64_t, 6> by_class{};  ///< index: status / 100
        std::uint64_t micros = 0;
    };
    std::vector<Route> routes_{Route{"none", {}, 0}};
    std::size_t streams_ = 0;
    std::map<WorkspaceId, std::size_t> streams_of_;
    std::vector<Source> sources_;
};

}  // namespace postern::api
