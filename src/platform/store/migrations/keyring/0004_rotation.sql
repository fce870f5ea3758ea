-- Rotation. While one runs, there are two generations of a key, and each wrap says which it is
-- under; afterwards the one before is gone.
ALTER TABLE workspace_keys ADD COLUMN generation {int64} NOT NULL DEFAULT 1;
ALTER TABLE subject_keys ADD COLUMN generation {int64} NOT NULL DEFAULT 1;
ALTER TABLE server_shares ADD COLUMN generation {int64} NOT NULL DEFAULT 1;
ALTER TABLE holder_shares ADD COLUMN generation {int64} NOT NULL DEFAULT 1;
ALTER TABLE grant_keys ADD COLUMN generation {int64} NOT NULL DEFAULT 1;

-- A row here is a rotation of that workspace's key under way.
CREATE TABLE next_workspace_keys (
    workspace_id {blob} NOT NULL,
    generation {int64} NOT NULL,
    keyring_version {int64} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id)
) STRICT;

-- Derived keys of earlier generations that what is stored elsewhere still needs.
CREATE TABLE kept_keys (
    workspace_id {blob} NOT NULL,
    generation {int64} NOT NULL,
    purpose {int64} NOT NULL,
    under_generation {int64} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, generation, purpose, under_generation)
) STRICT;

CREATE INDEX subject_keys_by_generation ON subject_keys (workspace_id, generation);
