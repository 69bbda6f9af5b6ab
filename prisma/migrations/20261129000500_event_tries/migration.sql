-- AlterTable
ALTER TABLE "event_deliveries" ADD COLUMN     "given_up_at" TIMESTAMPTZ(3),
ADD COLUMN     "tries" INTEGER NOT NULL DEFAULT 0;

-- What was under way goes on where it was.
UPDATE "event_deliveries" SET "tries" = "attempts" WHERE "status" = 'pending';
