-- What made a received mail (NULL: a person, or it is ours), and what came back instead of a reply.

ALTER TABLE messages ADD COLUMN author_kind TEXT;

CREATE TABLE bounces (
    workspace_id {blob} NOT NULL,
    message_id {blob} NOT NULL,
    creator_id {blob} NOT NULL,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    detail {blob} NOT NULL,
    detail_wrap {blob} NOT NULL,
    at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, message_id, creator_id)
) STRICT;

-- Ids that a server gave to our mails instead of ours.
CREATE TABLE learned_ids (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    id_mac {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    message_id {blob} NOT NULL,
    id {blob} NOT NULL,
    learned_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, id_mac)
) STRICT;

-- How new mail is looked for in a mailbox, and whose Authentication-Results count there.
CREATE TABLE mailbox_probes (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    looks_by TEXT NOT NULL,
    probed_at_ms {int64} NOT NULL,
    authserv_id TEXT,
    authserv_is_open {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id)
) STRICT;
