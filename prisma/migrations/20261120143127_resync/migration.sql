-- AlterTable
ALTER TABLE "stratos_node" ADD COLUMN     "membership_read" BIGINT NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "stratos_resync" (
    "did" TEXT NOT NULL,
    "node_did" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "asked" INTEGER NOT NULL DEFAULT 1,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stratos_resync_pkey" PRIMARY KEY ("did","node_did")
);

-- CreateIndex
CREATE INDEX "stratos_resync_node_did_due_at_idx" ON "stratos_resync"("node_did", "due_at");

-- AddForeignKey
ALTER TABLE "stratos_resync" ADD CONSTRAINT "stratos_resync_node_did_fkey" FOREIGN KEY ("node_did") REFERENCES "stratos_node"("did") ON DELETE RESTRICT ON UPDATE CASCADE;
