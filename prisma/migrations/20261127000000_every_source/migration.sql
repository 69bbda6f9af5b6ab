-- AlterTable
ALTER TABLE "tracking_events" ADD COLUMN     "borrowed_at" TIMESTAMPTZ(3),
ADD COLUMN     "first_hand" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "history_id" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "superseded_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "snapshots" (
    "tracking_key" TEXT NOT NULL,
    "carrier_key" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "history_id" TEXT NOT NULL,
    "taken_at" TIMESTAMPTZ(3) NOT NULL,
    "reaches_back_to" TIMESTAMPTZ(3) NOT NULL,
    "scan_keys" UUID[],
    "is_news" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "snapshots_pkey" PRIMARY KEY ("tracking_key","carrier_key","source","history_id")
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
ALTER TABLE "snapshots" SET (fillfactor = 70);
ALTER TABLE "handshakes"
  ADD CONSTRAINT "handshakes_state" CHECK ("state" IN ('validate', 'ready', 'failure'));

-- A scan is written once. What can change is whether its source has corrected it since, and, of a scan without words of its
-- own, the status that its source lends it.
CREATE FUNCTION "keep_scan"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a scan never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "tracking_events_keep_scan" BEFORE UPDATE ON "tracking_events" FOR EACH ROW
  WHEN ((OLD.scan_key, OLD.source, OLD.carrier, OLD.tracking_key, OLD.occurred_at, OLD.occurred_local, OLD.occurred_on, OLD.time_zone,
      OLD.code, OLD.text, OLD.place, OLD.received_at)
    IS DISTINCT FROM (NEW.scan_key, NEW.source, NEW.carrier, NEW.tracking_key, NEW.occurred_at, NEW.occurred_local, NEW.occurred_on,
      NEW.time_zone, NEW.code, NEW.text, NEW.place, NEW.received_at)
    OR (NEW.borrowed_at IS NULL AND (OLD.status, OLD.exception, OLD.borrowed_at)
      IS DISTINCT FROM (NEW.status, NEW.exception, NEW.borrowed_at)))
  EXECUTE FUNCTION "keep_scan"();
