#pragma once

namespace postern::private_threads {

/// Part of a statement with `t`, a table that has workspace_id and thread_id: only rows whose
/// thread the viewer sees. Its second parameter, $2, is Viewer::person_or_nobody(). It counts,
/// since PostgreSQL would hash the rows of all workspaces for EXISTS; so it looks each one up by
/// its key.
inline constexpr char k_seen[] =
    "((SELECT COUNT(*) FROM private_threads q WHERE q.workspace_id = t.workspace_id AND "
    "q.thread_id = t.thread_id) = 0 OR (SELECT COUNT(*) FROM thread_members m WHERE "
    "m.workspace_id = t.workspace_id AND m.thread_id = t.thread_id AND m.person_id = $2) = 1)";

}  // namespace postern::private_threads
