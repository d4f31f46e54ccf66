-- Stubs whose records may be asked for at their nodes, for the scope of the transaction: those of nodes that it
-- has a boundary of. Whether the viewer may read what is behind them plays no part. All of it is public on the
-- PDS of the author.
CREATE FUNCTION "stratos_stubs_ahead"("uris" TEXT[])
RETURNS TABLE (
    "uri" TEXT,
    "node_did" TEXT,
    "cid" TEXT,
    "seen_at" TIMESTAMPTZ,
    "signing_keys" TEXT[]
)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10
SET search_path = public, pg_temp
AS $$
    SELECT s.uri, s.node_did, s.subject_cid, s.seen_at, ARRAY(
        SELECT DISTINCT e.signing_key FROM stratos_enrollment e
        WHERE e.node_did = s.node_did AND e.did = s.did
    )
    FROM unnest(uris) AS wanted(uri)
    JOIN stratos_stub s ON s.uri = wanted.uri
    WHERE EXISTS (
        SELECT FROM unnest(stratos_scope()) AS scope(boundary)
        WHERE starts_with(scope.boundary, s.node_did || '/')
    )
$$;
REVOKE ALL ON FUNCTION "stratos_stubs_ahead" FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "stratos_stubs_ahead" TO "stratos_gateway";

-- Whether a record that a node gave counts in the scope of the transaction as it would if it had come by the
-- stream of the node. "rev" is the revision of the repo that shows it, "log_seq" the newest entry of the
-- membership log after it was read, "names" are all boundaries of the signed record.
CREATE FUNCTION "stratos_stub_counts"(
    "post_uri" TEXT,
    "post_node" TEXT,
    "post_cid" TEXT,
    "key" TEXT,
    "shown_by" TEXT,
    "log_seq" BIGINT,
    "names" TEXT[]
)
RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM stratos_stub s
        JOIN stratos_node n ON n.did = s.node_did
        JOIN stratos_membership m ON m.did = s.did AND m.node_did = s.node_did
        WHERE s.uri = post_uri AND s.node_did = post_node AND s.subject_cid = post_cid
            AND names && stratos_scope()
            -- Whoever was removed before it was written is removed here, too.
            AND n.membership_seq >= log_seq AND n.rolled_back_at IS NULL
            -- Its author is a member by the word of both sides, and of all its boundaries.
            AND m.active AND m.signing_key = key
            AND EXISTS (
                SELECT FROM stratos_enrollment e
                WHERE e.node_did = m.node_did AND e.did = m.did AND e.signing_key = m.signing_key
            )
            AND names <@ ARRAY(
                SELECT b.boundary FROM stratos_membership_boundary b
                WHERE b.did = m.did AND b.node_did = m.node_did
                    AND starts_with(b.boundary, m.node_did || '/')
            )
            AND NOT EXISTS (SELECT FROM stratos_actor a WHERE a.did = s.did AND NOT a.active)
            -- Of what was applied already, the index knows better.
            AND NOT EXISTS (
                SELECT FROM stratos_repo r
                WHERE r.did = s.did AND r.node_did = s.node_did AND r.rev COLLATE "C" >= shown_by
            )
            AND NOT EXISTS (
                SELECT FROM stratos_tombstone t
                WHERE t.uri = s.uri AND t.node_did = s.node_did AND t.rev COLLATE "C" >= shown_by
            )
            AND NOT EXISTS (
                SELECT FROM stratos_post p
                WHERE p.uri = s.uri AND p.node_did = s.node_did AND p.cid = s.subject_cid
            )
            -- Nor is it about to go.
            AND NOT EXISTS (
                SELECT FROM stratos_hold h
                WHERE h.node_did = s.node_did AND h.did = s.did AND h.uri IN (s.uri, 'at://' || s.did)
            )
            AND NOT EXISTS (
                SELECT FROM stratos_resync q
                WHERE q.did = s.did AND q.node_did = s.node_did AND q.reason = 'outdated'
            )
    )
$$;
REVOKE ALL ON FUNCTION "stratos_stub_counts" FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "stratos_stub_counts" TO "stratos_gateway";
