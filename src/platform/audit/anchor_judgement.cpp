#include "platform/audit/anchor_judgement.h"

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/audit/anchor_file.h"
#include "platform/audit/anchor_line.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::audit {
namespace {

std::string said(const Anchor& anchor) {
    return "number " + std::to_string(anchor.number) + " stood there at " + rfc3339(anchor.at_ms);
}

}  // namespace

Anchored read_anchors(std::string_view text, std::vector<std::string>& faults) {
    Anchored anchored;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (line.ends_with(k_torn.front())) continue;
        if (auto anchor = parse_anchor(line)) {
            const auto workspace = anchor->workspace;
            anchored[workspace].push_back(std::move(*anchor));
        } else if (faults.size() < k_anchor_faults_max) {
            faults.push_back("anchors: line " + std::to_string(number) + " is none");
        }
    }
    return anchored;
}

std::vector<std::int64_t> numbers_of(const std::vector<Anchor>& anchors) {
    std::vector<std::int64_t> numbers;
    numbers.reserve(anchors.size());
    for (const auto& anchor : anchors)
        numbers.push_back(anchor.number);
    return numbers;
}

std::vector<std::string> judge_anchors(WorkspaceId workspace,
                                       const std::vector<Anchor>& anchors,
                                       const ChainFacts& chain) {
    std::vector<std::string> faults;
    if (anchors.empty()) return faults;
    const auto tell = [&](const std::string& text) {
        if (faults.size() < k_anchor_faults_max) faults.push_back(workspace.text() + ": " + text);
    };
    const auto& farthest = *std::ranges::max_element(anchors, {}, &Anchor::number);
    if (farthest.number > chain.newest) {
        tell((chain.newest == 0 ? "there is no record"
                                : "the record ends at number " + std::to_string(chain.newest)) +
             ", and " + said(farthest));
    }
    for (const auto& anchor : anchors) {
        // What went because of its age says nothing any more.
        if (anchor.number <= chain.base || anchor.number > chain.newest) continue;
        const auto found = chain.macs.find(anchor.number);
        if (found != chain.macs.end() && found->second == anchor.record_mac) continue;
        tell("another " + said(anchor));
    }
    return faults;
}

std::vector<std::string> judge_memory(const std::vector<Anchor>& kept, const Anchored& anchored) {
    std::vector<std::string> faults;
    for (const auto& anchor : kept) {
        const auto found = anchored.find(anchor.workspace);
        const auto has = [&](const Anchor& line) { return line.number >= anchor.number; };
        if (found != anchored.end() && std::ranges::any_of(found->second, has)) continue;
        if (faults.size() >= k_anchor_faults_max) break;
        faults.push_back(anchor.workspace.text() + ": the anchor of number " +
                         std::to_string(anchor.number) + " is missing at the second place");
    }
    return faults;
}

}  // namespace postern::audit
