-- Read by no query.
-- DropIndex
DROP INDEX "stratos_post_reply_parent_idx";

-- DropIndex
DROP INDEX "stratos_post_quote_idx";

-- CreateIndex
CREATE INDEX "stratos_post_search_boundary_sort_at_uri_idx" ON "stratos_post_search"("boundary", "sort_at" DESC, "uri" DESC);

-- As before. A function within it would cost as much as cutting the words does.
CREATE OR REPLACE FUNCTION "stratos_scoped_words"("boundary_id" INTEGER, "content" TEXT) RETURNS TSVECTOR
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array(
        SELECT boundary_id || ':' || left(word, 100)
        FROM unnest(tsvector_to_array(to_tsvector('simple', content))) AS word
    ))
$$;

-- The newest posts of a boundary that have the words, between two times and after a position. Reads all of
-- the boundary that have them.
CREATE FUNCTION "stratos_search_index"(
    "in_boundary" TEXT,
    "query" TSQUERY,
    "above" TIMESTAMPTZ,
    "below" TIMESTAMPTZ,
    "after_sort_at" TIMESTAMPTZ,
    "after_uri" TEXT,
    "after_node" TEXT,
    "page" INTEGER
) RETURNS TABLE ("sort_at" TIMESTAMPTZ, "uri" TEXT, "node_did" TEXT)
LANGUAGE sql STABLE ROWS 50
SET enable_bitmapscan = on
AS $$
    SELECT s.sort_at, s.uri, s.node_did
    -- The offset keeps every other condition out, by which another index could be taken.
    FROM (SELECT * FROM stratos_post_search t WHERE t.words @@ query OFFSET 0) AS s
    WHERE s.boundary = in_boundary
        AND s.sort_at BETWEEN above AND below
        AND (s.sort_at, s.uri, s.node_did) < (after_sort_at, after_uri, after_node)
    ORDER BY s.sort_at DESC, s.uri DESC, s.node_did DESC
    LIMIT page
$$;
REVOKE ALL ON FUNCTION "stratos_search_index" FROM PUBLIC;

-- The newest posts after a position that have all the words, in those of the boundaries that the
-- transaction is for.
--
-- It first walks 3,000 posts from the position on, an equal share of each boundary, which is enough for what
-- many posts have. Where a boundary may have more that belongs to the page, it walks on if it met the words
-- in one of sixteen posts there, and otherwise asks the index of words for those few.
--
-- It reads what row security closes, by the rights of its owner: under a policy Postgres would not use
-- the index, because it does not know that @@ tells nobody what it compares.
CREATE OR REPLACE FUNCTION "stratos_search"(
    "boundaries" TEXT[],
    "content" TEXT,
    "after_sort_at" TIMESTAMPTZ,
    "after_uri" TEXT,
    "after_node" TEXT,
    "page" INTEGER
) RETURNS TABLE ("sort_at" TIMESTAMPTZ, "uri" TEXT, "node_did" TEXT)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50
SET search_path = public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
    WITH scope AS MATERIALIZED (
        SELECT b.boundary, stratos_scoped_query(b.id, content) AS query,
            greatest(page, 3000 / greatest(cardinality(boundaries), 1)) AS share,
            coalesce(after_sort_at, 'infinity') AS after_sort_at,
            coalesce(after_uri, '') AS after_uri,
            coalesce(after_node, '') AS after_node
        FROM stratos_boundary b
        WHERE b.boundary = ANY (boundaries) AND b.boundary = ANY (stratos_scope())
    ), walked AS MATERIALIZED (
        -- Of each boundary a page of what has the words, or less and where its share ended.
        SELECT scope.boundary, step.*, step.place = scope.share AS is_end
        FROM scope
        CROSS JOIN LATERAL (
            SELECT newest.* FROM (
                SELECT s.sort_at, s.uri, s.node_did, s.words @@ scope.query AS is_match,
                    row_number() OVER (ORDER BY s.sort_at DESC, s.uri DESC) AS place
                FROM stratos_post_search s
                WHERE s.boundary = scope.boundary
                    AND (s.sort_at, s.uri, s.node_did) < (scope.after_sort_at, scope.after_uri, scope.after_node)
                ORDER BY s.sort_at DESC, s.uri DESC
                LIMIT scope.share
            ) AS newest
            WHERE newest.is_match OR newest.place = scope.share
            LIMIT page
        ) AS step
        WHERE scope.query IS NOT NULL
    ), met AS MATERIALIZED (
        SELECT DISTINCT w.sort_at, w.uri, w.node_did
        FROM walked w
        WHERE w.is_match
        ORDER BY w.sort_at DESC, w.uri DESC, w.node_did DESC
        LIMIT page
    ), further AS MATERIALIZED (
        -- Where the walk ended before what is the last of the page so far.
        SELECT scope.*, w.sort_at AS below, page_end.sort_at AS above, 16 * (
            SELECT count(*) FROM walked m WHERE m.boundary = w.boundary AND m.is_match
        ) >= scope.share AS is_common
        FROM walked w
        JOIN scope ON scope.boundary = w.boundary
        CROSS JOIN (
            SELECT CASE WHEN count(*) = page THEN min(met.sort_at) ELSE '-infinity' END AS sort_at FROM met
        ) AS page_end
        WHERE w.is_end AND w.sort_at >= page_end.sort_at
    ), found AS (
        SELECT * FROM met
        UNION ALL
        SELECT more.* FROM further f
        CROSS JOIN LATERAL (
            SELECT s.sort_at, s.uri, s.node_did
            FROM stratos_post_search s
            WHERE f.is_common AND s.boundary = f.boundary
                -- As a condition that the index of words does not know.
                AND (s.words @@ f.query) IS TRUE
                AND s.sort_at BETWEEN f.above AND f.below
                AND (s.sort_at, s.uri, s.node_did) < (f.after_sort_at, f.after_uri, f.after_node)
            ORDER BY s.sort_at DESC, s.uri DESC
            LIMIT page
        ) AS more
        UNION ALL
        SELECT more.* FROM further f
        CROSS JOIN LATERAL stratos_search_index(
            f.boundary, f.query, f.above, f.below, f.after_sort_at, f.after_uri, f.after_node, page
        ) AS more
        WHERE NOT f.is_common
    )
    SELECT DISTINCT found.sort_at, found.uri, found.node_did
    FROM found
    ORDER BY found.sort_at DESC, found.uri DESC, found.node_did DESC
    LIMIT page
$$;

-- What changed for readers after a position, in order: the routing of it, and nothing of what was written.
-- A gateway reads it once for all who listen, by the rights of its owner, because row security tells it of
-- one viewer at a time. A reader is told of a change only if the scope of that moment is open to it.
CREATE FUNCTION "stratos_changes_after"("position" BIGINT, "most" INTEGER)
RETURNS TABLE ("seq" BIGINT, "kind" TEXT, "node_did" TEXT, "did" TEXT, "uri" TEXT, "boundaries" TEXT[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = public, pg_temp
AS $$
    SELECT c.seq, c.kind, c.node_did, c.did, c.uri, c.boundaries
    FROM stratos_change c
    WHERE c.seq > "position"
    ORDER BY c.seq
    LIMIT least(most, 1000)
$$;
REVOKE ALL ON FUNCTION "stratos_changes_after" FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "stratos_changes_after" TO "stratos_gateway";
