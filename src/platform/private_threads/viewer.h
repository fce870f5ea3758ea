#pragma once

#include "foundation/base/id.h"

#include <optional>

namespace postern::private_threads {

/// Who looks, and in which workspace. What is private to others is not there for them.
class Viewer {
public:
    /// `person`: of a session, or whose token it is; nothing: the host's token, which sees what
    /// everybody sees.
    Viewer(WorkspaceId workspace, std::optional<PersonId> person)
        : workspace_(workspace), person_(person) {}
    /// This server, when it proves that what it stores opens: it may look at whatever it has the id
    /// of. Lists show it what everybody sees.
    [[nodiscard]] static Viewer server(WorkspaceId workspace) {
        Viewer viewer(workspace, std::nullopt);
        viewer.is_server_ = true;
        return viewer;
    }

    [[nodiscard]] WorkspaceId workspace() const noexcept { return workspace_; }
    [[nodiscard]] const std::optional<PersonId>& person() const noexcept { return person_; }
    [[nodiscard]] bool is_server() const noexcept { return is_server_; }
    /// For k_seen (seen_sql.h). Nobody has the id that stands for nobody.
    [[nodiscard]] PersonId person_or_nobody() const { return person_.value_or(PersonId{}); }

private:
    WorkspaceId workspace_;
    std::optional<PersonId> person_;
    bool is_server_ = false;
};

}  // namespace postern::private_threads
