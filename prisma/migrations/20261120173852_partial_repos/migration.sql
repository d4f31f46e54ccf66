-- AlterTable
ALTER TABLE "stratos_repo" ADD COLUMN     "is_partial" BOOLEAN NOT NULL DEFAULT false;
