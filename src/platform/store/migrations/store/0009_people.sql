-- Who works in a workspace and who did, who was asked to come, and whose token a token is.
ALTER TABLE memberships ADD COLUMN is_suspended {int64} NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN since_ms {int64} NOT NULL DEFAULT 0;
UPDATE memberships SET since_ms = created_at_ms;
CREATE INDEX memberships_by_person ON memberships (person_id, workspace_id);

-- Each time that somebody could do something here, and no longer can.
CREATE TABLE past_memberships (
    workspace_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    role TEXT NOT NULL,
    address {blob} NOT NULL,
    from_ms {int64} NOT NULL,
    to_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, person_id, from_ms)
) STRICT;

CREATE TABLE invitations (
    workspace_id {blob} NOT NULL,
    token_hash {blob} NOT NULL,
    invitation_id {blob} NOT NULL,
    to_workspace_id {blob} NOT NULL,
    address_token {blob} NOT NULL,
    address {blob} NOT NULL,
    role TEXT NOT NULL,
    invited_by {blob},
    created_at_ms {int64} NOT NULL,
    expires_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, token_hash)
) STRICT;
CREATE INDEX invitations_by_workspace ON invitations (workspace_id, to_workspace_id, invitation_id);

-- When they last began a session; 0: before this was noted, or never.
ALTER TABLE people ADD COLUMN signed_in_at_ms {int64} NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN made_by {blob};
-- When somebody last confirmed that everybody listed here should be; 0: never.
ALTER TABLE workspaces ADD COLUMN access_reviewed_at_ms {int64} NOT NULL DEFAULT 0;

-- The server's own mail that waits to be handed over.
CREATE TABLE own_mails (
    workspace_id {blob} NOT NULL,
    mail_id {blob} NOT NULL,
    letter {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    next_at_ms {int64} NOT NULL,
    attempts {int64} NOT NULL,
    PRIMARY KEY (workspace_id, mail_id)
) STRICT;
CREATE INDEX own_mails_due ON own_mails (workspace_id, next_at_ms);

-- Links to choose a new password.
CREATE TABLE password_resets (
    workspace_id {blob} NOT NULL,
    token_hash {blob} NOT NULL,
    person_id {blob} NOT NULL,
    ends_factors {int64} NOT NULL,
    expires_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, token_hash)
) STRICT;

-- From which devices and networks a person has signed in: others are told to them.
CREATE TABLE known_clients (
    workspace_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    client_token {blob} NOT NULL,
    seen_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, person_id, client_token)
) STRICT;
