-- AlterTable
ALTER TABLE "tracking_events" ADD COLUMN     "borrowed_at" TIMESTAMPTZ(3),
ADD COLUMN     "first_hand" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "superseded_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "histories" (
    "tracking_key" TEXT NOT NULL,
    "carrier_key" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "scan_keys" UUID[],
    "first_told_at" TIMESTAMPTZ(3)[],
    "first_reaches_back_to" TIMESTAMPTZ(3)[],
    "last_told_at" TIMESTAMPTZ(3)[],

    CONSTRAINT "histories_pkey" PRIMARY KEY ("tracking_key","carrier_key","source")
);

-- CreateTable
CREATE TABLE "unknown_codes" (
    "source" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "scans" BIGINT NOT NULL,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "unknown_codes_pkey" PRIMARY KEY ("source","code")
);

-- CreateTable
CREATE TABLE "handshakes" (
    "source" TEXT NOT NULL,
    "subscription" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "secret" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "handshakes_pkey" PRIMARY KEY ("source","subscription")
);

-- What Prisma cannot say -------------------------------------------------------------------------------------------

-- Rewritten with each snapshot of a parcel: room on the page keeps the rewrites there, and out of the index.
ALTER TABLE "histories" SET (fillfactor = 70),
  ADD CONSTRAINT "histories_columns" CHECK (cardinality("scan_keys") = cardinality("first_told_at")
    AND cardinality("scan_keys") = cardinality("first_reaches_back_to") AND cardinality("scan_keys") = cardinality("last_told_at"));
-- What was lent to scans so far was lent by the time they came. Scans without words of their own have no code.
UPDATE "tracking_events" SET "borrowed_at" = "received_at" WHERE "code" = '' AND "status" <> 'unknown';
ALTER TABLE "handshakes"
  ADD CONSTRAINT "handshakes_state" CHECK ("state" IN ('validate', 'ready', 'failure'));

-- A scan is written once. What can change is whether its source has corrected it since, whether somebody disputes it, and, where
-- its source lends it the status of the parcel as a whole, that status.
CREATE FUNCTION "keep_scan"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a scan never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "tracking_events_keep_scan" BEFORE UPDATE ON "tracking_events" FOR EACH ROW
  WHEN ((OLD.scan_key, OLD.inbox_id, OLD.source, OLD.carrier, OLD.carrier_key, OLD.tracking_key, OLD.first_hand, OLD.occurred_at,
      OLD.occurred_local, OLD.occurred_on, OLD.time_zone, OLD.code, OLD.text, OLD.place, OLD.received_at)
    IS DISTINCT FROM (NEW.scan_key, NEW.inbox_id, NEW.source, NEW.carrier, NEW.carrier_key, NEW.tracking_key, NEW.first_hand,
      NEW.occurred_at, NEW.occurred_local, NEW.occurred_on, NEW.time_zone, NEW.code, NEW.text, NEW.place, NEW.received_at)
    OR (NEW.borrowed_at IS NULL AND (OLD.status, OLD.exception, OLD.borrowed_at)
      IS DISTINCT FROM (NEW.status, NEW.exception, NEW.borrowed_at)))
  EXECUTE FUNCTION "keep_scan"();
