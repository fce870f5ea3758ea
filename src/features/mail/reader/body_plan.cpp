#include "features/mail/reader/body_plan.h"

#include "features/mail/reader/mime_tree.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <ranges>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::uint32_t k_none = MimePart::k_no_parent;

// The outermost multipart/alternative around a part, and which of its children holds the part.
struct Group {
    std::uint32_t alternative = k_none;
    std::uint32_t branch = k_none;
};

Group group_of(const MimeTree& tree, std::uint32_t index) {
    Group group;
    std::uint32_t child = index;
    while (tree.parts[child].parent != k_none) {
        const std::uint32_t parent = tree.parts[child].parent;
        if (tree.parts[parent].type == "multipart/alternative") group = {parent, child};
        child = parent;
    }
    return group;
}

bool is_text(const MimeTree& tree, const MimePart& part) {
    if (part.opaque || part.disposition == Disposition::attachment) return false;
    if (is_multipart(part)) return true;  // one without parts: its body is shown as it is
    if (part.type != "text/plain" && part.type != "text/html") return false;
    const bool in_related =
        part.parent != k_none && tree.parts[part.parent].type == "multipart/related";
    return part.place == 0 || (part.file_name.empty() && !in_related);
}

struct Leaf {
    std::uint32_t part;
    std::uint32_t branch;
    bool html;
};

// RFC 2046 section 5.1.4: the last representation that can be shown is the best one.
std::vector<std::uint32_t> best_branch(const std::vector<Leaf>& leaves, bool html) {
    const auto has = [&](std::uint32_t branch, bool kind) {
        return std::ranges::any_of(
            leaves, [&](const Leaf& leaf) { return leaf.branch == branch && leaf.html == kind; });
    };
    std::uint32_t best = k_none;
    bool best_is_pure = false;
    for (const Leaf& leaf : leaves) {
        if (leaf.html != html) continue;
        // Text beside HTML in one branch is often a footer only.
        const bool pure = html || !has(leaf.branch, true);
        if (best_is_pure && !pure) continue;
        best = leaf.branch;
        best_is_pure = pure;
    }
    std::vector<std::uint32_t> parts;
    for (const Leaf& leaf : leaves) {
        if (leaf.html == html && leaf.branch == best) parts.push_back(leaf.part);
    }
    return parts;
}

}  // namespace

BodyPlan plan_body(const MimeTree& tree) {
    BodyPlan plan;
    std::map<std::uint32_t, std::vector<Leaf>> groups;
    for (std::uint32_t index = 0; index < tree.parts.size(); ++index) {
        const MimePart& part = tree.parts[index];
        if (part.container) continue;
        if (!is_text(tree, part)) {
            plan.attachments.push_back(index);
            continue;
        }
        const Group group = group_of(tree, index);
        const std::uint32_t key = group.alternative == k_none ? index : group.alternative;
        groups[key].push_back({index, group.branch, part.type == "text/html"});
    }
    for (const std::vector<Leaf>& leaves : groups | std::views::values) {
        plan.pieces.push_back({best_branch(leaves, false), best_branch(leaves, true)});
    }
    return plan;
}

}  // namespace postern::reader
