-- Every primary key begins with workspace_id; rows of the installation itself stand in the
-- workspace of sixteen zero bytes. What each column is for stands in data_map.csv.

CREATE TABLE meta (
    workspace_id {blob} NOT NULL,
    name TEXT NOT NULL,
    value {blob} NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT;

CREATE TABLE workspaces (
    workspace_id {blob} NOT NULL,
    name {blob} NOT NULL,
    is_demo {int64} NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id)
) STRICT;

CREATE TABLE people (
    workspace_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    address_token {blob} NOT NULL,
    address {blob} NOT NULL,
    password {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, person_id),
    UNIQUE (workspace_id, address_token)
) STRICT;

CREATE TABLE memberships (
    workspace_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    role TEXT NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, person_id)
) STRICT;

CREATE TABLE sessions (
    workspace_id {blob} NOT NULL,
    token_hash {blob} NOT NULL,
    person_id {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    expires_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, token_hash)
) STRICT;

CREATE TABLE api_tokens (
    workspace_id {blob} NOT NULL,
    token_hash {blob} NOT NULL,
    token_id {blob} NOT NULL,
    bound_workspace_id {blob} NOT NULL,
    role TEXT NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, token_hash)
) STRICT;

CREATE TABLE sign_in_attempts (
    workspace_id {blob} NOT NULL,
    address_token {blob} NOT NULL,
    failed {int64} NOT NULL,
    blocked_until_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, address_token)
) STRICT;

CREATE TABLE integrations (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    kind TEXT NOT NULL,
    level TEXT NOT NULL,
    state TEXT NOT NULL,
    epoch {int64} NOT NULL,
    settings {blob} NOT NULL,
    search_label TEXT NOT NULL,
    broken_code TEXT,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id)
) STRICT;

CREATE TABLE seals (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    epoch {int64} NOT NULL,
    seal {blob} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, epoch)
) STRICT;

CREATE TABLE grants (
    workspace_id {blob} NOT NULL,
    grant_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    epoch {int64} NOT NULL,
    verbs {int64} NOT NULL,
    hourly_ceiling {int64} NOT NULL,
    expires_at_ms {int64} NOT NULL,
    warned_days {int64} NOT NULL,
    credential {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, grant_id)
) STRICT;
CREATE INDEX grants_by_integration ON grants (workspace_id, integration_id);

CREATE TABLE operations (
    workspace_id {blob} NOT NULL,
    receipt_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    kind TEXT NOT NULL,
    epoch {int64} NOT NULL,
    requested_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, receipt_id)
) STRICT;

CREATE TABLE receipts (
    workspace_id {blob} NOT NULL,
    receipt_id {blob} NOT NULL,
    subject_id {blob} NOT NULL,
    state TEXT NOT NULL,
    at_ms {int64} NOT NULL,
    body {blob} NOT NULL,
    PRIMARY KEY (workspace_id, receipt_id)
) STRICT;

CREATE TABLE ledger (
    workspace_id {blob} NOT NULL,
    number {int64} NOT NULL,
    entry {blob} NOT NULL,
    signature {blob} NOT NULL,
    PRIMARY KEY (workspace_id, number)
) STRICT;

CREATE TABLE idempotency (
    workspace_id {blob} NOT NULL,
    key_mac {blob} NOT NULL,
    request_mac {blob} NOT NULL,
    status {int64} NOT NULL,
    resource_id {blob} NOT NULL,
    expires_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, key_mac)
) STRICT;

CREATE TABLE events (
    workspace_id {blob} NOT NULL,
    number {int64} NOT NULL,
    at_ms {int64} NOT NULL,
    kind TEXT NOT NULL,
    ids TEXT NOT NULL,
    PRIMARY KEY (workspace_id, number)
) STRICT;

CREATE TABLE creators (
    workspace_id {blob} NOT NULL,
    creator_id {blob} NOT NULL,
    profile {blob} NOT NULL,
    profile_wrap {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, creator_id)
) STRICT;

CREATE TABLE threads (
    workspace_id {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    token {blob} NOT NULL,
    next_number {int64} NOT NULL,
    head {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    updated_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, thread_id),
    UNIQUE (workspace_id, token)
) STRICT;

CREATE TABLE thread_people (
    workspace_id {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    creator_id {blob} NOT NULL,
    head_wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, thread_id, creator_id)
) STRICT;
CREATE INDEX thread_people_by_creator ON thread_people (workspace_id, creator_id, thread_id);

CREATE TABLE messages (
    workspace_id {blob} NOT NULL,
    message_id {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    number {int64} NOT NULL,
    direction TEXT NOT NULL,
    state TEXT NOT NULL,
    failure_code TEXT,
    origin_mac {blob} NOT NULL,
    body {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, message_id),
    UNIQUE (workspace_id, thread_id, origin_mac)
) STRICT;
CREATE INDEX messages_by_thread ON messages (workspace_id, thread_id, message_id);

CREATE TABLE message_wraps (
    workspace_id {blob} NOT NULL,
    message_id {blob} NOT NULL,
    creator_id {blob} NOT NULL,
    body_wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, message_id, creator_id)
) STRICT;

CREATE TABLE raw_mails (
    workspace_id {blob} NOT NULL,
    message_id {blob} NOT NULL,
    people {blob} NOT NULL,
    raw {blob} NOT NULL,
    raw_wrap {blob} NOT NULL,
    PRIMARY KEY (workspace_id, message_id)
) STRICT;

CREATE TABLE outbox (
    workspace_id {blob} NOT NULL,
    message_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    stage TEXT NOT NULL,
    attempts {int64} NOT NULL,
    fence {int64} NOT NULL,
    next_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, message_id)
) STRICT;
CREATE INDEX outbox_by_time ON outbox (workspace_id, next_at_ms);

CREATE TABLE cursors (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    folder_mac {blob} NOT NULL,
    folder {blob} NOT NULL,
    uid_validity {int64} NOT NULL,
    next_uid {int64} NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, folder_mac)
) STRICT;

CREATE TABLE held_mails (
    workspace_id {blob} NOT NULL,
    message_id {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    origin_mac {blob} NOT NULL,
    reason TEXT NOT NULL,
    folder_mac {blob} NOT NULL,
    uid_validity {int64} NOT NULL,
    uid {int64} NOT NULL,
    sender {blob} NOT NULL,
    created_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, message_id),
    UNIQUE (workspace_id, thread_id, origin_mac)
) STRICT;

CREATE TABLE read_ledger (
    workspace_id {blob} NOT NULL,
    integration_id {blob} NOT NULL,
    number {int64} NOT NULL,
    at_ms {int64} NOT NULL,
    command TEXT NOT NULL,
    folder_mac {blob} NOT NULL,
    first_uid {int64} NOT NULL,
    next_uid {int64} NOT NULL,
    bytes {int64} NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (workspace_id, integration_id, number)
) STRICT;
