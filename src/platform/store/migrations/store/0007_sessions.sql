-- What a person knows a session of theirs by was not kept before: everybody signs in once more.
DELETE FROM sessions;
ALTER TABLE sessions ADD COLUMN session_id {blob};
ALTER TABLE sessions ADD COLUMN client {blob};
ALTER TABLE sessions ADD COLUMN seen_at_ms {int64} NOT NULL DEFAULT 0;
CREATE INDEX sessions_by_person ON sessions (workspace_id, person_id, session_id);
