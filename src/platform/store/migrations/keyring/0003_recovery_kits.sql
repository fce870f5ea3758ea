-- The recovery kit: whoever joins its printed shares has the private half of `public_wrap`, and
-- opens `root_key_box` with it. One kit at a time; the one before is void with its row.
CREATE TABLE recovery_kits (
    workspace_id {blob} NOT NULL,
    shares {int64} NOT NULL,
    threshold {int64} NOT NULL,
    public_wrap {blob} NOT NULL,
    root_key_box {blob} NOT NULL,
    PRIMARY KEY (workspace_id)
) STRICT;
