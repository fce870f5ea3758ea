-- Each holder has an attempt budget of their own: who knows one secret cannot clear the count of
-- guesses at another's. Counts of before are of an hour at most and are not carried over.
CREATE TABLE holder_attempts (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    holder_id {blob} NOT NULL,
    failed {int64} NOT NULL,
    blocked_until_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, holder_id)
) STRICT;

DROP TABLE attempts;
