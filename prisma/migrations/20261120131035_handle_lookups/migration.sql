-- AlterTable
ALTER TABLE "stratos_actor" ADD COLUMN     "handle_due_at" TIMESTAMPTZ(3),
ADD COLUMN     "handle_failures" INTEGER NOT NULL DEFAULT 0;

-- CreateIndex
CREATE INDEX "stratos_actor_handle_failures_handle_due_at_idx" ON "stratos_actor"("handle_failures", "handle_due_at");

-- Those whose lookup failed were not looked up again.
UPDATE "stratos_actor" SET "handle_due_at" = now() WHERE "handle" IS NULL;
