-- CreateTable
CREATE TABLE "stratos_boundary" (
    "id" SERIAL NOT NULL,
    "boundary" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,

    CONSTRAINT "stratos_boundary_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stratos_post_search" (
    "uri" TEXT NOT NULL,
    "boundary" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "sort_at" TIMESTAMPTZ(3) NOT NULL,
    "words" tsvector NOT NULL,

    CONSTRAINT "stratos_post_search_pkey" PRIMARY KEY ("uri","boundary")
);

-- CreateTable
CREATE TABLE "stratos_post_reference" (
    "uri" TEXT NOT NULL,
    "boundary" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "sort_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stratos_post_reference_pkey" PRIMARY KEY ("uri","boundary","kind")
);

-- CreateIndex
CREATE UNIQUE INDEX "stratos_boundary_boundary_key" ON "stratos_boundary"("boundary");

-- CreateIndex
CREATE INDEX "stratos_post_search_words_idx" ON "stratos_post_search" USING GIN ("words");

-- CreateIndex
CREATE INDEX "stratos_post_reference_boundary_kind_subject_sort_at_uri_idx" ON "stratos_post_reference"("boundary", "kind", "subject", "sort_at", "uri");

-- AddForeignKey
ALTER TABLE "stratos_boundary" ADD CONSTRAINT "stratos_boundary_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_post_search" ADD CONSTRAINT "stratos_post_search_uri_boundary_fkey" FOREIGN KEY ("uri", "boundary") REFERENCES "stratos_post_boundary"("uri", "boundary") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_post_reference" ADD CONSTRAINT "stratos_post_reference_uri_boundary_fkey" FOREIGN KEY ("uri", "boundary") REFERENCES "stratos_post_boundary"("uri", "boundary") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_tombstone" ADD CONSTRAINT "stratos_tombstone_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema cannot say.
ALTER TABLE "stratos_boundary"
    ADD CONSTRAINT "stratos_boundary_node_check" CHECK (starts_with("boundary", "node_did" || '/'));

ALTER TABLE "stratos_post_reference"
    ADD CONSTRAINT "stratos_post_reference_kind_check" CHECK ("kind" IN ('reply', 'quote')),
    ADD CONSTRAINT "stratos_post_reference_subject_check" CHECK (starts_with("subject", 'at://'));

-- What is not sorted in yet would be read by every search, whatever it is.
ALTER INDEX "stratos_post_search_words_idx" SET (fastupdate = off);

-- The words of a text, in lower case and otherwise as written: no stems, and accents stay. Long ones are
-- cut, because a tsvector spoils what is over 2 KB.
CREATE FUNCTION "stratos_words"("content" TEXT) RETURNS TEXT[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array(SELECT left(word, 100) FROM unnest(tsvector_to_array(to_tsvector('simple', content))) AS word)
$$;

CREATE FUNCTION "stratos_scoped_words"("boundary_id" INTEGER, "content" TEXT) RETURNS TSVECTOR
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array(SELECT boundary_id || ':' || word FROM unnest(stratos_words(content)) AS word))
$$;

-- All words of a text in one boundary; null, which finds nothing, when it has none.
CREATE FUNCTION "stratos_scoped_query"("boundary_id" INTEGER, "content" TEXT) RETURNS TSQUERY
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(
        '''' || boundary_id || ':' || replace(replace(word, '\', '\\'), '''', '''''') || '''', ' & '
    )::tsquery
    FROM unnest(stratos_words(content)) AS word
$$;

-- Writes what follows from rows that say who may read what. It goes with them by its foreign keys.
--
-- A session keeps the plans that it made for the first rows: what is right for many at once would read
-- whole tables for each single one after them.
CREATE FUNCTION "stratos_write_derived"() RETURNS TRIGGER
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM readers) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM stratos_post_search s USING readers r WHERE s.uri = r.uri AND s.boundary = r.boundary;
        DELETE FROM stratos_post_reference f USING readers r WHERE f.uri = r.uri AND f.boundary = r.boundary;
    END IF;

    INSERT INTO stratos_boundary (boundary, node_did)
    SELECT DISTINCT r.boundary, r.node_did FROM readers r
    WHERE NOT EXISTS (SELECT FROM stratos_boundary b WHERE b.boundary = r.boundary)
    ORDER BY r.boundary
    ON CONFLICT DO NOTHING;

    INSERT INTO stratos_post_search (uri, boundary, node_did, sort_at, words)
    SELECT r.uri, r.boundary, r.node_did, r.sort_at, stratos_scoped_words(b.id, p.text)
    FROM readers r
    JOIN stratos_post p ON p.uri = r.uri AND p.node_did = r.node_did
    JOIN stratos_boundary b ON b.boundary = r.boundary
    WHERE p.text <> '';

    INSERT INTO stratos_post_reference (uri, boundary, kind, subject, node_did, sort_at)
    SELECT r.uri, r.boundary, reference.kind, reference.subject, r.node_did, r.sort_at
    FROM readers r
    JOIN stratos_post p ON p.uri = r.uri AND p.node_did = r.node_did
    CROSS JOIN LATERAL (VALUES ('reply', p.reply_parent), ('quote', p.quote)) AS reference(kind, subject)
    WHERE starts_with(reference.subject, 'at://');
    RETURN NULL;
END
$$;

CREATE TRIGGER "stratos_post_boundary_insert" AFTER INSERT ON "stratos_post_boundary"
    REFERENCING NEW TABLE AS readers FOR EACH STATEMENT EXECUTE FUNCTION "stratos_write_derived"();
CREATE TRIGGER "stratos_post_boundary_update" AFTER UPDATE ON "stratos_post_boundary"
    REFERENCING NEW TABLE AS readers FOR EACH STATEMENT EXECUTE FUNCTION "stratos_write_derived"();

-- A new version of a post whose readers stay.
CREATE FUNCTION "stratos_renew_readers"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stratos_post_boundary SET sort_at = NEW.sort_at WHERE uri = NEW.uri AND node_did = NEW.node_did;
    RETURN NULL;
END
$$;

CREATE TRIGGER "stratos_post_update" AFTER UPDATE ON "stratos_post" FOR EACH ROW
    WHEN ((OLD.text, OLD.reply_parent, OLD.quote, OLD.sort_at)
        IS DISTINCT FROM (NEW.text, NEW.reply_parent, NEW.quote, NEW.sort_at))
    EXECUTE FUNCTION "stratos_renew_readers"();

-- The boundaries that the transaction is for; none unless it says so.
CREATE FUNCTION "stratos_scope"() RETURNS TEXT[]
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT string_to_array(current_setting('stratos.scope', true), ' ')
$$;

-- The newest posts after a position that have all the words, in those of the boundaries that the
-- transaction is for. Each boundary is searched by its own words and contributes at most a page.
--
-- It reads what row security closes, by the rights of its owner: under a policy Postgres would not use
-- the index, because it does not know that @@ tells nobody what it compares.
CREATE FUNCTION "stratos_search"(
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
SET enable_bitmapscan = on
AS $$
    SELECT DISTINCT found.sort_at, found.uri, found.node_did
    FROM stratos_boundary b
    CROSS JOIN LATERAL (
        SELECT s.sort_at, s.uri, s.node_did
        FROM stratos_post_search s
        WHERE s.words @@ stratos_scoped_query(b.id, content)
            AND s.boundary = b.boundary
            AND (after_sort_at IS NULL OR (s.sort_at, s.uri, s.node_did) < (after_sort_at, after_uri, after_node))
        ORDER BY s.sort_at DESC, s.uri DESC, s.node_did DESC
        LIMIT page
    ) AS found
    WHERE b.boundary = ANY (boundaries) AND b.boundary = ANY (stratos_scope())
    ORDER BY found.sort_at DESC, found.uri DESC, found.node_did DESC
    LIMIT page
$$;
REVOKE ALL ON FUNCTION "stratos_search" FROM PUBLIC;

-- Writes it for the readers that are there already.
UPDATE "stratos_post_boundary" SET "sort_at" = "sort_at";
