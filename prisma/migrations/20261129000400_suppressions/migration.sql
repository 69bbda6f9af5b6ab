-- CreateTable
CREATE TABLE "suppressions" (
    "id" UUID NOT NULL,
    "address" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "detail" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,

    CONSTRAINT "suppressions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "suppressions_created_at_id_idx" ON "suppressions"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "suppressions_one_per_address_and_scope" ON "suppressions"("address", "scope");

ALTER TABLE "suppressions"
  ADD CONSTRAINT "suppressions_scope" CHECK ("scope" IN ('all', 'service')),
  ADD CONSTRAINT "suppressions_reason" CHECK ("reason" IN ('refused', 'bounced', 'unsubscribed', 'by_hand'));

-- What came back waits for a person too.
DROP INDEX "messages_for_people";
CREATE INDEX "messages_for_people" ON "messages" ("status", "created_at") WHERE "status" IN ('held', 'failed', 'bounced', 'unknown');
