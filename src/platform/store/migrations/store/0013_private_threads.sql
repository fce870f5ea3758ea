-- Threads that only some people of the workspace see; one without a row here everybody sees.
CREATE TABLE private_threads (
    workspace_id {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    PRIMARY KEY (workspace_id, thread_id)
) STRICT;
-- Who they are. A row goes with its person's place in the workspace.
CREATE TABLE thread_members (
    workspace_id {blob} NOT NULL,
    thread_id {blob} NOT NULL,
    person_id {blob} NOT NULL,
    added_at_ms {int64} NOT NULL,
    PRIMARY KEY (workspace_id, thread_id, person_id)
) STRICT;
CREATE INDEX thread_members_by_person ON thread_members (workspace_id, person_id, thread_id);
-- Which thread an event tells of: it is told to those who see that.
ALTER TABLE events ADD COLUMN thread_id {blob};
