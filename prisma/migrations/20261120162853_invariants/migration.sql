-- DropIndex
DROP INDEX "stratos_membership_boundary_boundary_idx";

-- CreateIndex
CREATE INDEX "stratos_membership_boundary_boundary_did_idx" ON "stratos_membership_boundary"("boundary", "did");

-- AddForeignKey
ALTER TABLE "stratos_repo" ADD CONSTRAINT "stratos_repo_did_node_did_fkey" FOREIGN KEY ("did", "node_did") REFERENCES "stratos_membership"("did", "node_did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_waiting_commit" ADD CONSTRAINT "stratos_waiting_commit_did_node_did_fkey" FOREIGN KEY ("did", "node_did") REFERENCES "stratos_membership"("did", "node_did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema cannot say. DIDs first.
ALTER TABLE "stratos_actor" ADD CONSTRAINT "stratos_actor_did_check" CHECK (starts_with("did", 'did:'));
ALTER TABLE "stratos_enrollment" ADD CONSTRAINT "stratos_enrollment_did_check" CHECK (starts_with("did", 'did:'));
ALTER TABLE "stratos_membership" ADD CONSTRAINT "stratos_membership_did_check" CHECK (starts_with("did", 'did:'));
ALTER TABLE "stratos_proof" ADD CONSTRAINT "stratos_proof_did_check" CHECK (starts_with("did", 'did:'));
ALTER TABLE "stratos_actor_cursor" ADD CONSTRAINT "stratos_actor_cursor_did_check" CHECK (starts_with("did", 'did:'));
ALTER TABLE "stratos_resync" ADD CONSTRAINT "stratos_resync_did_check" CHECK (starts_with("did", 'did:'));
ALTER TABLE "stratos_pds_resync" ADD CONSTRAINT "stratos_pds_resync_did_check" CHECK (starts_with("did", 'did:'));
ALTER TABLE "stratos_hold" ADD CONSTRAINT "stratos_hold_did_check" CHECK (starts_with("did", 'did:'));

ALTER TABLE "stratos_node"
    ADD CONSTRAINT "stratos_node_endpoint_check" CHECK ("endpoint" <> ''),
    ADD CONSTRAINT "stratos_node_counters_check" CHECK ("newest_seq" >= 0 AND "follow_epoch" >= 0 AND "membership_read" >= 0);

ALTER TABLE "stratos_actor"
    ADD CONSTRAINT "stratos_actor_handle_check" CHECK ("handle" = lower("handle") AND "handle" <> ''),
    ADD CONSTRAINT "stratos_actor_failures_check" CHECK ("handle_failures" >= 0);

ALTER TABLE "stratos_enrollment"
    ADD CONSTRAINT "stratos_enrollment_filled_check" CHECK ("rkey" <> '' AND "service_url" <> '' AND "rev" <> ''),
    ADD CONSTRAINT "stratos_enrollment_node_check" CHECK (starts_with("node_did", 'did:')),
    ADD CONSTRAINT "stratos_enrollment_key_check" CHECK (starts_with("signing_key", 'did:key:'));

ALTER TABLE "stratos_membership"
    ADD CONSTRAINT "stratos_membership_seq_check" CHECK ("seq" > 0),
    ADD CONSTRAINT "stratos_membership_key_check" CHECK (starts_with("signing_key", 'did:key:')),
    ADD CONSTRAINT "stratos_membership_entry_check" CHECK (length("entry") > 0);

ALTER TABLE "stratos_proof"
    ADD CONSTRAINT "stratos_proof_key_check" CHECK (starts_with("signing_key", 'did:key:'));

ALTER TABLE "stratos_actor_cursor"
    ADD CONSTRAINT "stratos_actor_cursor_seq_check" CHECK ("seq" >= 0);

ALTER TABLE "stratos_waiting_commit"
    ADD CONSTRAINT "stratos_waiting_commit_filled_check" CHECK ("stream_seq" >= 0 AND length("frame") > 0);

ALTER TABLE "stratos_resync"
    ADD CONSTRAINT "stratos_resync_counters_check" CHECK ("asked" > 0 AND "failures" >= 0),
    ADD CONSTRAINT "stratos_resync_code_check" CHECK ("reason" ~ '^[a-z][a-z0-9:-]{0,63}$');

ALTER TABLE "stratos_pds_resync"
    ADD CONSTRAINT "stratos_pds_resync_counters_check" CHECK ("asked" > 0 AND "failures" >= 0),
    ADD CONSTRAINT "stratos_pds_resync_code_check" CHECK ("reason" ~ '^[a-z][a-z0-9:-]{0,63}$');

-- References are in indexes, which take no more than a few thousand bytes.
ALTER TABLE "stratos_post"
    ADD CONSTRAINT "stratos_post_rkey_check" CHECK ("rkey" <> '' AND right("uri", length("rkey") + 1) = '/' || "rkey"),
    ADD CONSTRAINT "stratos_post_references_check" CHECK (
        starts_with("reply_root", 'at://') AND octet_length("reply_root") <= 1000
        AND starts_with("reply_parent", 'at://') AND octet_length("reply_parent") <= 1000
        AND starts_with("quote", 'at://') AND octet_length("quote") <= 1000
    ),
    ADD CONSTRAINT "stratos_post_reply_check" CHECK (("reply_root" IS NULL) = ("reply_parent" IS NULL));

ALTER TABLE "stratos_stub"
    ADD CONSTRAINT "stratos_stub_author_check" CHECK (starts_with("uri", 'at://' || "did" || '/')),
    ADD CONSTRAINT "stratos_stub_node_check" CHECK (starts_with("node_did", 'did:')),
    ADD CONSTRAINT "stratos_stub_filled_check" CHECK ("subject_cid" <> '' AND "rev" <> '');

ALTER TABLE "stratos_tombstone"
    ADD CONSTRAINT "stratos_tombstone_filled_check" CHECK (starts_with("uri", 'at://') AND "rev" <> '');

-- A code, so that no content gets there.
ALTER TABLE "stratos_quarantine"
    ADD CONSTRAINT "stratos_quarantine_code_check" CHECK ("reason" ~ '^[a-z][a-z0-9:-]{0,63}$'),
    ADD CONSTRAINT "stratos_quarantine_source_check" CHECK ("node_did" <> '' AND starts_with("did", 'did:') AND starts_with("uri", 'at://'));

ALTER TABLE "stratos_hold"
    ADD CONSTRAINT "stratos_hold_seq_check" CHECK ("stream_seq" > 0),
    ADD CONSTRAINT "stratos_hold_node_check" CHECK (starts_with("boundary", "node_did" || '/')),
    ADD CONSTRAINT "stratos_hold_author_check" CHECK (starts_with("uri" || '/', 'at://' || "did" || '/'));

-- What a change is about.
ALTER TABLE "stratos_change"
    ADD CONSTRAINT "stratos_change_about_check" CHECK (CASE "kind"
        WHEN 'node' THEN "node_did" IS NOT NULL
        WHEN 'account' THEN "did" IS NOT NULL
        WHEN 'membership' THEN num_nulls("node_did", "did") = 0
        ELSE num_nulls("node_did", "did", "uri") = 0
    END);

ALTER TABLE "stratos_sync_cursor"
    ADD CONSTRAINT "stratos_sync_cursor_filled_check" CHECK ("source" <> '' AND "seq" >= 0 AND "follow_epoch" >= 0);

ALTER TABLE "stratos_follower"
    ADD CONSTRAINT "stratos_follower_filled_check" CHECK ("id" <> '');

-- The gateway searches by this function alone.
GRANT EXECUTE ON FUNCTION "stratos_search" TO "stratos_gateway";
GRANT EXECUTE ON FUNCTION "stratos_scope" TO "stratos_gateway";
