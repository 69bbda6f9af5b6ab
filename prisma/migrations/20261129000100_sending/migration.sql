-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "resent_at" TIMESTAMPTZ(3),
ADD COLUMN     "turn_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "mail_rate" (
    "id" INTEGER NOT NULL,
    "next_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mail_rate_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "messages_created_at_id_idx" ON "messages"("created_at", "id");

-- One row, and its lock is what all workers take their turns by.
ALTER TABLE "mail_rate" ADD CONSTRAINT "mail_rate_one" CHECK ("id" = 1);
INSERT INTO "mail_rate" ("id", "next_at") VALUES (1, '1970-01-01');

-- `withdrawn`: a person decided that it is never sent, and what it tells of counts as told.
ALTER TABLE "messages" DROP CONSTRAINT "messages_status";
ALTER TABLE "messages"
  ADD CONSTRAINT "messages_status" CHECK ("status" IN ('queued', 'held', 'sending', 'sent', 'failed', 'unknown', 'suppressed', 'blocked', 'bounced', 'withdrawn'));
CREATE INDEX "messages_for_people" ON "messages" ("status", "created_at") WHERE "status" IN ('held', 'failed', 'unknown');
