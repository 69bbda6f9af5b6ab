-- CreateTable
CREATE TABLE "notices" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "part" TEXT NOT NULL DEFAULT '',
    "facts" JSONB NOT NULL,
    "noticed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "name" TEXT NOT NULL,
    "key" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("name")
);

-- AlterTable
ALTER TABLE "messages" ALTER COLUMN "decision_id" DROP NOT NULL,
ADD COLUMN     "answer" TEXT,
ADD COLUMN     "answered_at" TIMESTAMPTZ(3),
ADD COLUMN     "notice_id" UUID,
ADD COLUMN     "rendered" JSONB,
ADD COLUMN     "send_after" TIMESTAMPTZ(3);

-- CreateIndex
CREATE UNIQUE INDEX "notices_one_per_order_kind_and_part" ON "notices"("order_id", "kind", "part");

-- CreateIndex
CREATE UNIQUE INDEX "messages_one_per_notice" ON "messages"("notice_id");

-- CreateIndex
CREATE INDEX "messages_customer_id_created_at_idx" ON "messages"("customer_id", "created_at");

-- AddForeignKey
ALTER TABLE "notices" ADD CONSTRAINT "notices_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_notice_id_fkey" FOREIGN KEY ("notice_id") REFERENCES "notices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A letter tells of one thing. `held` waits for a person, `blocked` is for an address that nothing is sent to, `bounced` came back.
ALTER TABLE "messages" DROP CONSTRAINT "messages_status";
ALTER TABLE "messages"
  ADD CONSTRAINT "messages_status" CHECK ("status" IN ('queued', 'held', 'sending', 'sent', 'failed', 'unknown', 'suppressed', 'blocked', 'bounced')),
  ADD CONSTRAINT "messages_tell_of_one" CHECK (num_nonnulls("decision_id", "notice_id") = 1),
  ADD CONSTRAINT "messages_answer" CHECK ("answer" IN ('yes', 'no') AND "answered_at" IS NOT NULL OR num_nonnulls("answer", "answered_at") = 0);
