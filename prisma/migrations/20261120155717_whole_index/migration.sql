-- DropIndex
DROP INDEX "stratos_post_node_did_did_idx";

-- AlterTable
ALTER TABLE "stratos_node" ADD COLUMN     "follow_epoch" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "follow_until" TIMESTAMPTZ(3),
ADD COLUMN     "follower" TEXT,
ADD COLUMN     "newest_seq" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "rolled_back_at" TIMESTAMPTZ(3),
ADD COLUMN     "stream" TEXT NOT NULL DEFAULT 'service';

-- AlterTable
ALTER TABLE "stratos_membership" ADD COLUMN     "entry" BYTEA;

-- AlterTable
ALTER TABLE "stratos_post" ADD COLUMN     "embed" JSONB,
ADD COLUMN     "facets" JSONB,
ADD COLUMN     "labels" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "langs" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "proof_rev" TEXT,
ADD COLUMN     "quote" TEXT,
ADD COLUMN     "tags" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "stratos_refusal" RENAME TO "stratos_quarantine";
ALTER TABLE "stratos_quarantine" RENAME CONSTRAINT "stratos_refusal_pkey" TO "stratos_quarantine_pkey";
ALTER SEQUENCE "stratos_refusal_id_seq" RENAME TO "stratos_quarantine_id_seq";
ALTER INDEX "stratos_refusal_node_did_refused_at_idx" RENAME TO "stratos_quarantine_node_did_refused_at_idx";
ALTER TABLE "stratos_quarantine" ADD COLUMN     "uri" TEXT,
ADD COLUMN     "retried_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "stratos_proof" (
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "rev" TEXT NOT NULL,
    "commit" TEXT NOT NULL,
    "signing_key" TEXT NOT NULL,
    "car" BYTEA NOT NULL,

    CONSTRAINT "stratos_proof_pkey" PRIMARY KEY ("did","node_did","rev")
);

-- CreateTable
CREATE TABLE "stratos_actor_cursor" (
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "stratos_actor_cursor_pkey" PRIMARY KEY ("did","node_did")
);

-- CreateTable
CREATE TABLE "stratos_waiting_commit" (
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "stream_seq" BIGINT NOT NULL,
    "frame" BYTEA NOT NULL,

    CONSTRAINT "stratos_waiting_commit_pkey" PRIMARY KEY ("did","node_did","stream_seq")
);

-- CreateTable
CREATE TABLE "stratos_hold" (
    "id" BIGSERIAL NOT NULL,
    "node_did" TEXT NOT NULL,
    "did" TEXT NOT NULL,
    "stream_seq" BIGINT NOT NULL,
    "boundary" TEXT,
    "uri" TEXT,

    CONSTRAINT "stratos_hold_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stratos_change" (
    "seq" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "kind" TEXT NOT NULL,
    "node_did" TEXT,
    "did" TEXT,
    "uri" TEXT,
    "boundaries" TEXT[] DEFAULT ARRAY[]::TEXT[],

    CONSTRAINT "stratos_change_pkey" PRIMARY KEY ("seq")
);

-- CreateIndex
CREATE INDEX "stratos_quarantine_node_did_did_idx" ON "stratos_quarantine"("node_did", "did");

-- CreateIndex
CREATE INDEX "stratos_hold_node_did_did_idx" ON "stratos_hold"("node_did", "did");

-- CreateIndex
CREATE INDEX "stratos_hold_node_did_stream_seq_idx" ON "stratos_hold"("node_did", "stream_seq");

-- CreateIndex
CREATE INDEX "stratos_change_at_idx" ON "stratos_change"("at");

-- CreateIndex
CREATE INDEX "stratos_node_follow_until_idx" ON "stratos_node"("follow_until");

-- CreateIndex
CREATE INDEX "stratos_post_did_node_did_proof_rev_idx" ON "stratos_post"("did", "node_did", "proof_rev");

-- CreateIndex
CREATE INDEX "stratos_post_reply_parent_idx" ON "stratos_post"("reply_parent");

-- CreateIndex
CREATE INDEX "stratos_post_quote_idx" ON "stratos_post"("quote");

-- AddForeignKey
ALTER TABLE "stratos_proof" ADD CONSTRAINT "stratos_proof_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_actor_cursor" ADD CONSTRAINT "stratos_actor_cursor_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_waiting_commit" ADD CONSTRAINT "stratos_waiting_commit_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_post" ADD CONSTRAINT "stratos_post_did_node_did_proof_rev_fkey" FOREIGN KEY ("did", "node_did", "proof_rev") REFERENCES "stratos_proof"("did", "node_did", "rev") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stratos_hold" ADD CONSTRAINT "stratos_hold_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema cannot say.
ALTER TABLE "stratos_node"
    ADD CONSTRAINT "stratos_node_stream_check" CHECK ("stream" IN ('service', 'records')),
    ADD CONSTRAINT "stratos_node_follower_check" CHECK (("follower" IS NULL) = ("follow_until" IS NULL));

ALTER TABLE "stratos_hold"
    ADD CONSTRAINT "stratos_hold_one_check" CHECK (num_nonnulls("boundary", "uri") = 1);

ALTER TABLE "stratos_change"
    ADD CONSTRAINT "stratos_change_kind_check" CHECK ("kind" IN ('post', 'gone', 'membership', 'account', 'node'));

ALTER TABLE "stratos_proof"
    ADD CONSTRAINT "stratos_proof_filled_check" CHECK ("rev" <> '' AND "commit" <> '' AND length("car") > 0);

-- What is stored has no proof beside it yet, which fetching the repos once more brings.
INSERT INTO "stratos_resync" ("did", "node_did", "reason")
SELECT "did", "node_did", 'unproven' FROM "stratos_repo"
ON CONFLICT DO NOTHING;
