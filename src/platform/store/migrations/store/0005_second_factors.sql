-- What people show beside their password. A step of a time code counts once.
CREATE TABLE factors (
    workspace_id {blob} NOT NULL,
    factor_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    kind TEXT NOT NULL,
    name {blob} NOT NULL,
    secret {blob} NOT NULL,
    last_step {int64} NOT NULL,
    created_at_ms {int64} NOT NULL,
    confirmed_at_ms {int64} NOT NULL,
    used_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, factor_id)
) STRICT;
CREATE INDEX factors_by_person ON factors (workspace_id, person_id, factor_id);

CREATE TABLE recovery_codes (
    workspace_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    code_hash {blob} NOT NULL,
    PRIMARY KEY (workspace_id, person_id, code_hash)
) STRICT;

-- When password and second factor were last shown; 0: never.
ALTER TABLE sessions ADD COLUMN password_at_ms {int64} NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN factor_at_ms {int64} NOT NULL DEFAULT 0;
UPDATE sessions SET password_at_ms = created_at_ms;

-- From then on nobody works here without a second factor; 0: that is everybody's own choice.
ALTER TABLE workspaces ADD COLUMN factors_from_ms {int64} NOT NULL DEFAULT 0;
