-- Keys of authenticators beside the other second factors. A credential's id is found by its hash.
ALTER TABLE factors ADD COLUMN credential_hash {blob};
ALTER TABLE factors ADD COLUMN sign_count {int64} NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX factors_by_credential ON factors (workspace_id, credential_hash);

-- What authenticators know a person by: random, made with their first passkey.
ALTER TABLE people ADD COLUMN user_handle {blob};

-- What an authenticator is to sign, each once. The asker is a session, or a place on the network.
CREATE TABLE passkey_challenges (
    workspace_id {blob} NOT NULL,
    challenge_hash {blob} NOT NULL,
    purpose TEXT NOT NULL,
    asker {blob} NOT NULL,
    expires_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, challenge_hash)
) STRICT;
CREATE INDEX passkey_challenges_by_asker ON passkey_challenges (workspace_id, asker);
CREATE INDEX passkey_challenges_by_end ON passkey_challenges (workspace_id, expires_at_ms);
CREATE INDEX passkey_challenges_by_purpose
    ON passkey_challenges (workspace_id, purpose, expires_at_ms);
