-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "stratos_node" (
    "did" TEXT NOT NULL,
    "endpoint" TEXT NOT NULL,
    "stream_cursor" BIGINT NOT NULL DEFAULT 0,
    "membership_seq" BIGINT NOT NULL DEFAULT 0,
    "membership_head" TEXT,
    "heartbeat_at" TIMESTAMPTZ(3),
    "lease_until" TIMESTAMPTZ(3),
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stratos_node_pkey" PRIMARY KEY ("did")
);

-- CreateTable
CREATE TABLE "stratos_actor" (
    "did" TEXT NOT NULL,
    "handle" TEXT,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "pds_rev" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stratos_actor_pkey" PRIMARY KEY ("did")
);

-- CreateTable
CREATE TABLE "stratos_enrollment" (
    "did" TEXT NOT NULL,
    "rkey" TEXT NOT NULL,
    "service_url" TEXT NOT NULL,
    "node_did" TEXT,
    "signing_key" TEXT NOT NULL,
    "boundaries" TEXT[],
    "enrolled_at" TIMESTAMPTZ(3) NOT NULL,
    "rev" TEXT NOT NULL,
    "last_checked" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stratos_enrollment_pkey" PRIMARY KEY ("did","rkey")
);

-- CreateTable
CREATE TABLE "stratos_membership" (
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "active" BOOLEAN NOT NULL,
    "seq" BIGINT NOT NULL,
    "signing_key" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stratos_membership_pkey" PRIMARY KEY ("did","node_did")
);

-- CreateTable
CREATE TABLE "stratos_membership_boundary" (
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "boundary" TEXT NOT NULL,

    CONSTRAINT "stratos_membership_boundary_pkey" PRIMARY KEY ("did","boundary")
);

-- CreateTable
CREATE TABLE "stratos_repo" (
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "rev" TEXT NOT NULL,
    "commit" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stratos_repo_pkey" PRIMARY KEY ("did","node_did")
);

-- CreateTable
CREATE TABLE "stratos_post" (
    "uri" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "cid" TEXT NOT NULL,
    "did" TEXT NOT NULL,
    "rkey" TEXT NOT NULL,
    "rev" TEXT NOT NULL,
    "record" BYTEA NOT NULL,
    "text" TEXT NOT NULL,
    "reply_root" TEXT,
    "reply_parent" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "indexed_at" TIMESTAMPTZ(3) NOT NULL,
    "sort_at" TIMESTAMPTZ(3) NOT NULL,
    "boundaries" TEXT[],

    CONSTRAINT "stratos_post_pkey" PRIMARY KEY ("uri","node_did")
);

-- CreateTable
CREATE TABLE "stratos_post_boundary" (
    "boundary" TEXT NOT NULL,
    "sort_at" TIMESTAMPTZ(3) NOT NULL,
    "uri" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "did" TEXT NOT NULL,

    CONSTRAINT "stratos_post_boundary_pkey" PRIMARY KEY ("uri","boundary")
);

-- CreateTable
CREATE TABLE "stratos_stub" (
    "uri" TEXT NOT NULL,
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "subject_cid" TEXT NOT NULL,
    "rev" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stratos_stub_pkey" PRIMARY KEY ("uri")
);

-- CreateTable
CREATE TABLE "stratos_tombstone" (
    "uri" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "rev" TEXT NOT NULL,
    "deleted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stratos_tombstone_pkey" PRIMARY KEY ("uri","node_did")
);

-- CreateTable
CREATE TABLE "stratos_refusal" (
    "id" BIGSERIAL NOT NULL,
    "node_did" TEXT NOT NULL,
    "did" TEXT,
    "stream_seq" BIGINT,
    "reason" TEXT NOT NULL,
    "refused_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stratos_refusal_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stratos_sync_cursor" (
    "source" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stratos_sync_cursor_pkey" PRIMARY KEY ("source")
);

-- CreateIndex
CREATE INDEX "stratos_actor_handle_idx" ON "stratos_actor"("handle");

-- CreateIndex
CREATE INDEX "stratos_enrollment_node_did_did_idx" ON "stratos_enrollment"("node_did", "did");

-- CreateIndex
CREATE INDEX "stratos_enrollment_service_url_idx" ON "stratos_enrollment"("service_url");

-- CreateIndex
CREATE INDEX "stratos_membership_boundary_boundary_idx" ON "stratos_membership_boundary"("boundary");

-- CreateIndex
CREATE INDEX "stratos_post_did_sort_at_uri_idx" ON "stratos_post"("did", "sort_at" DESC, "uri" DESC);

-- CreateIndex
CREATE INDEX "stratos_post_node_did_did_idx" ON "stratos_post"("node_did", "did");

-- CreateIndex
CREATE INDEX "stratos_post_boundary_boundary_sort_at_uri_idx" ON "stratos_post_boundary"("boundary", "sort_at" DESC, "uri" DESC);

-- CreateIndex
CREATE INDEX "stratos_post_boundary_boundary_did_sort_at_uri_idx" ON "stratos_post_boundary"("boundary", "did", "sort_at" DESC, "uri" DESC);

-- CreateIndex
CREATE INDEX "stratos_post_boundary_node_did_did_idx" ON "stratos_post_boundary"("node_did", "did");

-- CreateIndex
CREATE INDEX "stratos_stub_did_idx" ON "stratos_stub"("did");

-- CreateIndex
CREATE INDEX "stratos_refusal_node_did_refused_at_idx" ON "stratos_refusal"("node_did", "refused_at");

-- AddForeignKey
ALTER TABLE "stratos_membership" ADD CONSTRAINT "stratos_membership_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_membership_boundary" ADD CONSTRAINT "stratos_membership_boundary_did_node_did_fkey" FOREIGN KEY ("did", "node_did") REFERENCES "stratos_membership"("did", "node_did") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_repo" ADD CONSTRAINT "stratos_repo_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_post" ADD CONSTRAINT "stratos_post_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_post_boundary" ADD CONSTRAINT "stratos_post_boundary_uri_node_did_fkey" FOREIGN KEY ("uri", "node_did") REFERENCES "stratos_post"("uri", "node_did") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema cannot say. starts_with and not LIKE: the % of a did:web is no wildcard.
ALTER TABLE "stratos_node"
    ADD CONSTRAINT "stratos_node_did_check" CHECK (starts_with("did", 'did:')),
    ADD CONSTRAINT "stratos_node_positions_check" CHECK ("stream_cursor" >= 0 AND "membership_seq" >= 0),
    ADD CONSTRAINT "stratos_node_head_check" CHECK (("membership_seq" = 0) = ("membership_head" IS NULL));

ALTER TABLE "stratos_membership_boundary"
    ADD CONSTRAINT "stratos_membership_boundary_node_check" CHECK (starts_with("boundary", "node_did" || '/'));

ALTER TABLE "stratos_repo"
    ADD CONSTRAINT "stratos_repo_filled_check" CHECK ("rev" <> '' AND "commit" <> '' AND "data" <> '');

ALTER TABLE "stratos_post"
    ADD CONSTRAINT "stratos_post_filled_check" CHECK ("cid" <> '' AND "rev" <> '' AND length("record") > 0),
    ADD CONSTRAINT "stratos_post_author_check" CHECK (starts_with("uri", 'at://' || "did" || '/')),
    ADD CONSTRAINT "stratos_post_sort_check" CHECK ("sort_at" = LEAST("created_at", "indexed_at")),
    ADD CONSTRAINT "stratos_post_boundaries_check" CHECK (cardinality("boundaries") BETWEEN 1 AND 10);

ALTER TABLE "stratos_post_boundary"
    ADD CONSTRAINT "stratos_post_boundary_node_check" CHECK (starts_with("boundary", "node_did" || '/')),
    ADD CONSTRAINT "stratos_post_boundary_author_check" CHECK (starts_with("uri", 'at://' || "did" || '/'));
