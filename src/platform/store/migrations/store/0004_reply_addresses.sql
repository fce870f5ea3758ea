-- Addresses that answers to a thread may go to, told by a MAC of their tag.
CREATE TABLE reply_addresses (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    tag_mac {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, tag_mac)
) STRICT;

-- The mail that a mailbox last sent to such an address of its own, and what became of it.
CREATE TABLE reply_probes (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    state TEXT NOT NULL,
    token {blob} NOT NULL,
    place_mac {blob} NOT NULL,
    sent_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id)
) STRICT;
