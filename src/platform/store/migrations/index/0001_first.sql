-- Blind indexes: keyed MACs only, in no backup, rebuilt from the sealed rows.

CREATE TABLE meta (
    workspace_id {blob} NOT NULL,
    name TEXT NOT NULL,
    value {blob} NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT;

CREATE TABLE creator_addresses (
    workspace_id {blob} NOT NULL,
    address_mac {blob} NOT NULL,
    creator_id {blob} NOT NULL,
    PRIMARY KEY (workspace_id, address_mac)
) STRICT;
