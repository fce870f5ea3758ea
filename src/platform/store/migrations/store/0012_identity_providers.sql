-- Who else says who somebody is. Each provider is one workspace's.
CREATE TABLE identity_providers (
    workspace_id {blob} NOT NULL,
    provider_id {blob} NOT NULL,
    settings {blob} NOT NULL,
    client {blob} NOT NULL,
    default_role TEXT NOT NULL,
    is_on {int64} NOT NULL,
    PRIMARY KEY (workspace_id, provider_id)
) STRICT;
CREATE INDEX identity_providers_by_id ON identity_providers (provider_id);

-- Whom a provider's subject is, in that workspace.
CREATE TABLE provider_links (
    workspace_id {blob} NOT NULL,
    subject_token {blob} NOT NULL,
    link_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    provider_id {blob} NOT NULL,
    PRIMARY KEY (workspace_id, subject_token)
) STRICT;
CREATE INDEX provider_links_by_person ON provider_links (workspace_id, person_id, link_id);

-- Browsers that were sent to a provider and are not back yet. The hash is of the state and of what
-- the browser keeps beside it.
CREATE TABLE provider_sign_ins (
    workspace_id {blob} NOT NULL,
    state_hash {blob} NOT NULL,
    provider_id {blob} NOT NULL,
    purpose TEXT NOT NULL,
    session_hash {blob},
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, state_hash)
) STRICT;

-- People whom a provider made have no password, and are that workspace's alone.
ALTER TABLE people ADD COLUMN managed_in {blob};

-- A session that came of a provider is good in that provider's workspace alone.
ALTER TABLE sessions ADD COLUMN provider_id {blob};
ALTER TABLE sessions ADD COLUMN provider_at_ms {int64} NOT NULL DEFAULT 0;
