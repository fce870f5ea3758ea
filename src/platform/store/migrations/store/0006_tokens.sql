-- What a token may do and from where, and until when. Those of before have what their role has.
ALTER TABLE api_tokens ADD COLUMN name {blob};
ALTER TABLE api_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'all';
ALTER TABLE api_tokens ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN expires_at_ms {int64} NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN used_at_ms {int64} NOT NULL DEFAULT 0;
