-- Who holds a secret of an integration, as people call them; their part of the seal is in the seal.
CREATE TABLE holders (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    holder_id {blob} NOT NULL,
    name {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, holder_id)
) STRICT;

-- The last act of a person on it, to the hour.
ALTER TABLE integrations ADD COLUMN last_used_at_ms {int64} NOT NULL DEFAULT 0;
UPDATE integrations SET last_used_at_ms = created_at_ms;
