-- Facts about a workspace or, in workspace 0, about the installation.
CREATE TABLE meta (
    workspace_id {blob} NOT NULL,
    name TEXT NOT NULL,
    value {blob} NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT;
