ALTER TABLE "stratos_post_boundary" ADD COLUMN "cid" TEXT, ADD COLUMN "indexed_at" TIMESTAMPTZ(3);

-- What is derived from a post does not change by this.
ALTER TABLE "stratos_post_boundary" DISABLE TRIGGER "stratos_post_boundary_update";
UPDATE "stratos_post_boundary" "reader" SET "cid" = "post"."cid", "indexed_at" = "post"."indexed_at"
FROM "stratos_post" "post"
WHERE "post"."uri" = "reader"."uri" AND "post"."node_did" = "reader"."node_did";
ALTER TABLE "stratos_post_boundary" ENABLE TRIGGER "stratos_post_boundary_update";

ALTER TABLE "stratos_post_boundary" ALTER COLUMN "cid" SET NOT NULL, ALTER COLUMN "indexed_at" SET NOT NULL;

-- A new version of a post whose readers stay.
CREATE OR REPLACE FUNCTION "stratos_renew_readers"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stratos_post_boundary SET sort_at = NEW.sort_at, cid = NEW.cid, indexed_at = NEW.indexed_at
    WHERE uri = NEW.uri AND node_did = NEW.node_did;
    RETURN NULL;
END
$$;

DROP TRIGGER "stratos_post_update" ON "stratos_post";
CREATE TRIGGER "stratos_post_update" AFTER UPDATE ON "stratos_post" FOR EACH ROW
    WHEN ((OLD.text, OLD.reply_parent, OLD.quote, OLD.sort_at, OLD.cid, OLD.indexed_at)
        IS DISTINCT FROM (NEW.text, NEW.reply_parent, NEW.quote, NEW.sort_at, NEW.cid, NEW.indexed_at))
    EXECUTE FUNCTION "stratos_renew_readers"();
