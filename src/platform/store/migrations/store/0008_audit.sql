-- Who did what. Each MAC covers the one before it; numbers begin at 1 and have no gap.
CREATE TABLE audit_records (
    workspace_id {blob} NOT NULL,
    number {int64} NOT NULL,
    at_ms {int64} NOT NULL,
    action TEXT NOT NULL,
    facts TEXT NOT NULL,
    seal_row {blob} NOT NULL,
    details {blob},
    segment {blob} NOT NULL,
    step {int64} NOT NULL,
    mac {blob} NOT NULL,
    PRIMARY KEY (workspace_id, number)
) STRICT;
