-- What only keeper opens. Nothing here is in a bulk backup; every wrap is sealed for its own row.

CREATE TABLE keyring_keys (
    workspace_id {blob} NOT NULL,
    version {int64} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, version)
) STRICT;

CREATE TABLE installation_keys (
    workspace_id {blob} NOT NULL,
    purpose {int64} NOT NULL,
    public_key {blob} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, purpose)
) STRICT;

CREATE TABLE workspace_keys (
    workspace_id {blob} NOT NULL,
    keyring_version {int64} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id)
) STRICT;

CREATE TABLE subject_keys (
    workspace_id {blob} NOT NULL,
    creator_id {blob} NOT NULL,
    purpose {int64} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, creator_id, purpose)
) STRICT;

-- `minted_epoch` is the highest one ever given out, so that no epoch comes back.
CREATE TABLE integrations (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    state {int64} NOT NULL,
    epoch {int64} NOT NULL,
    pending_epoch {int64} NOT NULL,
    minted_epoch {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id)
) STRICT;

CREATE TABLE server_shares (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    epoch {int64} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, epoch)
) STRICT;

CREATE TABLE holder_shares (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    epoch {int64} NOT NULL,
    holder_id {blob} NOT NULL,
    public_key {blob} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, epoch, holder_id)
) STRICT;

CREATE TABLE grant_keys (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    grant_id {blob} NOT NULL,
    epoch {int64} NOT NULL,
    expires_at_ms {int64} NOT NULL,
    hour {int64} NOT NULL,
    used {int64} NOT NULL,
    wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, grant_id)
) STRICT;

CREATE TABLE attempts (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    failed {int64} NOT NULL,
    blocked_until_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id)
) STRICT;
