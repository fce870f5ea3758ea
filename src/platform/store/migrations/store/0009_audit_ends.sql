-- Who asked for what is not finished yet.
ALTER TABLE operations ADD COLUMN done_by TEXT NOT NULL DEFAULT '';
-- Where a workspace's record begins since what was older went: the last one that did.
CREATE TABLE audit_bases (
    workspace_id {blob} NOT NULL,
    number {int64} NOT NULL,
    record_mac {blob} NOT NULL,
    base_mac {blob} NOT NULL,
    at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id)
) STRICT;
-- How far it is known at the second place.
CREATE TABLE audit_anchors (
    workspace_id {blob} NOT NULL,
    number {int64} NOT NULL,
    record_mac {blob} NOT NULL,
    at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id)
) STRICT;
