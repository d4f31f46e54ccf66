-- What shows that a post is its author's, for the viewer and the scope of the transaction. The record as it
-- was signed names all its boundaries, and the node's statement all those of the author. So others than the
-- author get either only where they share every one that it names.
--
-- It reads what row security closes, by the rights of its owner.
CREATE FUNCTION "stratos_post_proof"("post_uri" TEXT, "post_node" TEXT)
RETURNS TABLE (
    "cid" TEXT,
    "record" BYTEA,
    "indexed_at" TIMESTAMPTZ,
    "car" BYTEA,
    "signing_key" TEXT,
    "entry" BYTEA,
    "stub_cid" TEXT
)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = public, pg_temp
AS $$
    SELECT p.cid, p.record, p.indexed_at, k.car, k.signing_key, m.entry, s.subject_cid
    FROM stratos_post p
    JOIN stratos_proof k ON k.did = p.did AND k.node_did = p.node_did AND k.rev = p.proof_rev
    LEFT JOIN stratos_stub s ON s.uri = p.uri AND s.node_did = p.node_did
    LEFT JOIN stratos_membership m ON m.did = p.did AND m.node_did = p.node_did
        AND m.active AND m.signing_key = k.signing_key
        AND (m.did = current_setting('stratos.viewer', true) OR NOT EXISTS (
            SELECT FROM stratos_membership_boundary b
            WHERE b.did = m.did AND b.node_did = m.node_did
                AND (b.boundary = ANY (stratos_scope())) IS NOT TRUE
        ))
    WHERE p.uri = post_uri AND p.node_did = post_node
        AND (p.did = current_setting('stratos.viewer', true)
            OR p.boundaries <@ stratos_scope() AND EXISTS (
                SELECT FROM stratos_post_boundary r
                WHERE r.uri = p.uri AND r.node_did = p.node_did AND r.boundary = ANY (stratos_scope())
            ))
$$;
REVOKE ALL ON FUNCTION "stratos_post_proof" FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "stratos_post_proof" TO "stratos_gateway";
