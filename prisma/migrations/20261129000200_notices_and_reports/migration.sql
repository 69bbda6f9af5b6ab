-- AlterTable
ALTER TABLE "notices" ADD COLUMN     "tells" BOOLEAN NOT NULL DEFAULT true;

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "digital" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "reported_incidents" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "title" TEXT,
    "evidence" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_by" TEXT NOT NULL,

    CONSTRAINT "reported_incidents_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "reported_incidents_one_per_order_and_kind" ON "reported_incidents"("order_id", "kind");

-- AddForeignKey
ALTER TABLE "reported_incidents" ADD CONSTRAINT "reported_incidents_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "notices"
  ADD CONSTRAINT "notices_kind" CHECK ("kind" IN ('order-confirmed', 'shipped', 'at-risk', 'declined', 'correction'));

-- What was reported is evidence: decisions rest on it.
ALTER TABLE "reported_incidents"
  ADD CONSTRAINT "reported_incidents_evidence" CHECK (jsonb_typeof("evidence") = 'object');
CREATE TRIGGER "reported_incidents_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "reported_incidents" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
