-- DropIndex
DROP INDEX "stratos_node_follow_until_idx";

-- AlterTable: nothing has written it yet, and its check goes with it
ALTER TABLE "stratos_node" DROP COLUMN "follow_until";

-- AlterTable
ALTER TABLE "stratos_sync_cursor" ADD COLUMN     "follow_epoch" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "follower" TEXT;

-- CreateTable
CREATE TABLE "stratos_follower" (
    "id" TEXT NOT NULL,
    "alive_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stratos_follower_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stratos_pds_resync" (
    "did" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "asked" INTEGER NOT NULL DEFAULT 1,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stratos_pds_resync_pkey" PRIMARY KEY ("did")
);

-- CreateIndex
CREATE INDEX "stratos_pds_resync_due_at_idx" ON "stratos_pds_resync"("due_at");

-- CreateIndex
CREATE INDEX "stratos_node_follower_idx" ON "stratos_node"("follower");
