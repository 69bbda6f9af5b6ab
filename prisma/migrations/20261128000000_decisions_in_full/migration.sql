-- DropIndex
DROP INDEX "messages_one_per_decision_and_template";

-- AlterTable
ALTER TABLE "awards" ADD COLUMN     "expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "points" INTEGER,
ADD COLUMN     "proposed_by" TEXT NOT NULL DEFAULT 'policy',
ADD COLUMN     "provider" TEXT,
ADD COLUMN     "review_reason" TEXT,
ADD COLUMN     "reviewed_at" TIMESTAMPTZ(3),
ADD COLUMN     "reviewed_by" TEXT,
ADD COLUMN     "ship_on" DATE,
ADD COLUMN     "stopped_by" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "ledger_transfers" ADD COLUMN     "actor" TEXT,
ADD COLUMN     "expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "of_transfer" UUID,
ADD COLUMN     "reason" TEXT,
ADD COLUMN     "reference" TEXT;

-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "award_ids" UUID[] DEFAULT ARRAY[]::UUID[],
ADD COLUMN     "part" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "arm" TEXT,
ADD COLUMN     "backfill" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "provider_references" JSONB;

-- AlterTable
ALTER TABLE "tasks" ADD COLUMN     "completed_at" TIMESTAMPTZ(3),
ADD COLUMN     "completed_by" TEXT,
ADD COLUMN     "due_at" TIMESTAMPTZ(3),
ADD COLUMN     "note" TEXT,
ADD COLUMN     "outcome" TEXT,
ADD COLUMN     "talking_points" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "time_zone" TEXT;

-- AlterTable
ALTER TABLE "verdicts" ADD COLUMN     "arm" TEXT,
ADD COLUMN     "customer_wording" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "decision" JSONB,
ADD COLUMN     "mode" TEXT NOT NULL DEFAULT 'active';

-- CreateTable
CREATE TABLE "provider_calls" (
    "award_id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "first_called_at" TIMESTAMPTZ(3) NOT NULL,
    "last_called_at" TIMESTAMPTZ(3) NOT NULL,
    "answered_at" TIMESTAMPTZ(3),
    "receipt" JSONB,
    "error" TEXT,

    CONSTRAINT "provider_calls_pkey" PRIMARY KEY ("award_id")
);

-- CreateTable
CREATE TABLE "ledger_lots" (
    "transfer_id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "granted" BIGINT NOT NULL,
    "remaining" BIGINT NOT NULL,
    "granted_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "ledger_lots_pkey" PRIMARY KEY ("transfer_id","account_id")
);

-- CreateTable
CREATE TABLE "ledger_lot_uses" (
    "transfer_id" UUID NOT NULL,
    "lot_transfer_id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,

    CONSTRAINT "ledger_lot_uses_pkey" PRIMARY KEY ("transfer_id","lot_transfer_id")
);

-- CreateTable
CREATE TABLE "budget_days" (
    "day" DATE NOT NULL,
    "currency" TEXT NOT NULL,
    "spent_minor" BIGINT NOT NULL,

    CONSTRAINT "budget_days_pkey" PRIMARY KEY ("day","currency")
);

-- CreateTable
CREATE TABLE "verdict_minutes" (
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "settled" INTEGER NOT NULL,
    "late" INTEGER NOT NULL,

    CONSTRAINT "verdict_minutes_pkey" PRIMARY KEY ("minute")
);

-- CreateTable
CREATE TABLE "breaker_trips" (
    "id" UUID NOT NULL,
    "tripped_at" TIMESTAMPTZ(3) NOT NULL,
    "policy_version" INTEGER NOT NULL,
    "settled" INTEGER NOT NULL,
    "late" INTEGER NOT NULL,
    "usual_settled" BIGINT NOT NULL,
    "usual_late" BIGINT NOT NULL,
    "reset_at" TIMESTAMPTZ(3),
    "reset_by" TEXT,
    "reset_reason" TEXT,

    CONSTRAINT "breaker_trips_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alarms" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "raised_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "cleared_at" TIMESTAMPTZ(3),

    CONSTRAINT "alarms_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "contacts" (
    "id" UUID NOT NULL,
    "customer_id" TEXT NOT NULL,
    "order_id" TEXT,
    "channel" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_by" TEXT NOT NULL,

    CONSTRAINT "contacts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotent_requests" (
    "api_key_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "status" INTEGER NOT NULL,
    "answer" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotent_requests_pkey" PRIMARY KEY ("api_key_id","key")
);

-- CreateTable
CREATE TABLE "audit_runs" (
    "id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "report" JSONB,

    CONSTRAINT "audit_runs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "provider_calls_key_unique" ON "provider_calls"("idempotency_key");

-- CreateIndex
CREATE INDEX "ledger_lot_uses_lot_transfer_id_account_id_idx" ON "ledger_lot_uses"("lot_transfer_id", "account_id");

-- CreateIndex
CREATE INDEX "alarms_raised_at_idx" ON "alarms"("raised_at");

-- CreateIndex
CREATE INDEX "contacts_order_id_idx" ON "contacts"("order_id");

-- CreateIndex
CREATE INDEX "contacts_customer_id_at_idx" ON "contacts"("customer_id", "at");

-- CreateIndex
CREATE INDEX "idempotent_requests_created_at_idx" ON "idempotent_requests"("created_at");

-- CreateIndex
CREATE INDEX "audit_runs_started_at_idx" ON "audit_runs"("started_at");

-- CreateIndex
CREATE INDEX "ledger_transfers_of_transfer_idx" ON "ledger_transfers"("of_transfer");

-- CreateIndex
CREATE UNIQUE INDEX "messages_one_per_decision_template_and_part" ON "messages"("decision_id", "template", "part");

-- AddForeignKey
ALTER TABLE "provider_calls" ADD CONSTRAINT "provider_calls_award_id_fkey" FOREIGN KEY ("award_id") REFERENCES "awards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_transfers" ADD CONSTRAINT "ledger_transfers_of_transfer_fkey" FOREIGN KEY ("of_transfer") REFERENCES "ledger_transfers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_lots" ADD CONSTRAINT "ledger_lots_transfer_id_fkey" FOREIGN KEY ("transfer_id") REFERENCES "ledger_transfers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_lots" ADD CONSTRAINT "ledger_lots_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "ledger_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_lot_uses" ADD CONSTRAINT "ledger_lot_uses_transfer_id_fkey" FOREIGN KEY ("transfer_id") REFERENCES "ledger_transfers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_lot_uses" ADD CONSTRAINT "ledger_lot_uses_lot_transfer_id_account_id_fkey" FOREIGN KEY ("lot_transfer_id", "account_id") REFERENCES "ledger_lots"("transfer_id", "account_id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- What Prisma cannot say -------------------------------------------------------------------------------------------

ALTER TABLE "orders"
  ADD CONSTRAINT "orders_arm" CHECK ("arm" IN ('treated', 'holdout'));
ALTER TABLE "verdicts"
  ADD CONSTRAINT "verdicts_mode" CHECK ("mode" IN ('active', 'shadow', 'backfill')),
  ADD CONSTRAINT "verdicts_arm" CHECK ("arm" IN ('treated', 'holdout'));
ALTER TABLE "tasks"
  ADD CONSTRAINT "tasks_status" CHECK ("status" IN ('open', 'done')),
  ADD CONSTRAINT "tasks_done" CHECK (("status" = 'done') = ("completed_at" IS NOT NULL AND "completed_by" IS NOT NULL AND "outcome" IS NOT NULL));
ALTER TABLE "contacts"
  ADD CONSTRAINT "contacts_reason" CHECK ("reason" IN ('late', 'not_received', 'damaged', 'other'));
ALTER TABLE "provider_calls"
  ADD CONSTRAINT "provider_calls_status" CHECK ("status" IN ('calling', 'granted', 'refused')),
  ADD CONSTRAINT "provider_calls_answered" CHECK (("status" = 'calling') = ("answered_at" IS NULL)),
  ADD CONSTRAINT "provider_calls_receipt" CHECK ("status" <> 'granted' OR "receipt" IS NOT NULL);
ALTER TABLE "budget_days"
  ADD CONSTRAINT "budget_days_spent" CHECK ("spent_minor" >= 0);
ALTER TABLE "verdict_minutes"
  ADD CONSTRAINT "verdict_minutes_late" CHECK ("late" BETWEEN 0 AND "settled");

ALTER TABLE "awards" DROP CONSTRAINT "awards_content",
  ADD CONSTRAINT "awards_content" CHECK (
    CASE
      WHEN "kind" = 'membership_extension' THEN "months" IS NOT NULL AND "months" > 0 AND num_nonnulls("amount_minor", "points") = 0
      WHEN "kind" = 'points' THEN "points" IS NOT NULL AND "points" > 0 AND num_nonnulls("months", "amount_minor") = 0
      WHEN "kind" IN ('replacement', 'call') THEN num_nonnulls("months", "amount_minor", "points") = 0
      ELSE num_nonnulls("months", "points") = 0 AND "amount_minor" IS NOT NULL AND "amount_minor" >= 0 AND "currency" IS NOT NULL
    END),
  -- What is stopped says by what; what goes on is stopped by nothing.
  ADD CONSTRAINT "awards_stopped" CHECK ("status" NOT IN ('pending', 'applied') OR cardinality("stopped_by") = 0),
  -- Nothing of no worth is granted: an amount that nobody named yet waits.
  ADD CONSTRAINT "awards_worth" CHECK ("status" NOT IN ('pending', 'applied') OR "amount_minor" IS NULL OR "amount_minor" > 0);

-- The life of an award. What was applied can only be reversed; what was reversed or declined is over. What it gives can be
-- named anew as long as it waits for a person, and never after.
CREATE FUNCTION "guard_award"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.id, OLD.order_id, OLD.customer_id, OLD.incident, OLD.decision_id, OLD.class, OLD.step, OLD.kind, OLD.rule,
      OLD.policy_version, OLD.decided_at)
    IS DISTINCT FROM (NEW.id, NEW.order_id, NEW.customer_id, NEW.incident, NEW.decision_id, NEW.class, NEW.step, NEW.kind,
      NEW.rule, NEW.policy_version, NEW.decided_at) THEN
    RAISE EXCEPTION 'what award % was decided for never changes', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status NOT IN ('held', 'awaiting_approval')
    AND (OLD.months, OLD.amount_minor, OLD.currency, OLD.points, OLD.shipping)
      IS DISTINCT FROM (NEW.months, NEW.amount_minor, NEW.currency, NEW.points, NEW.shipping) THEN
    RAISE EXCEPTION 'what award % gives does not change any more', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.provider IS NOT NULL AND NEW.provider IS DISTINCT FROM OLD.provider THEN
    RAISE EXCEPTION 'award % stays with the provider that was asked for it', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status <> NEW.status AND NOT (OLD.status, NEW.status) IN (
    ('pending', 'applied'), ('pending', 'held'), ('pending', 'failed'), ('pending', 'declined'),
    ('held', 'pending'), ('held', 'awaiting_approval'), ('held', 'declined'),
    ('awaiting_approval', 'pending'), ('awaiting_approval', 'held'), ('awaiting_approval', 'declined'),
    ('failed', 'pending'), ('failed', 'declined'),
    ('applied', 'reversed')) THEN
    RAISE EXCEPTION 'award % is %, it cannot become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "awards_guard" BEFORE UPDATE ON "awards" FOR EACH ROW EXECUTE FUNCTION "guard_award"();
CREATE TRIGGER "awards_keep" BEFORE DELETE OR TRUNCATE ON "awards" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Only what waits is in these indexes.
CREATE INDEX "awards_stopped" ON "awards" ("decided_at", "id") WHERE "status" IN ('held', 'awaiting_approval', 'failed');
CREATE INDEX "awards_by_hand" ON "awards" ("proposed_by", "decided_at") WHERE "proposed_by" <> 'policy';
CREATE INDEX "tasks_open" ON "tasks" ("due_at", "id") WHERE "status" = 'open';
CREATE UNIQUE INDEX "breaker_trips_one_open" ON "breaker_trips" ((1)) WHERE "reset_at" IS NULL;
CREATE UNIQUE INDEX "alarms_one_open" ON "alarms" ("kind", "subject") WHERE "cleared_at" IS NULL;

-- Letters say from now on of which awards they tell; those that are there told of all that their decision had given by then.
UPDATE "messages" m SET "award_ids" = coalesce((SELECT array_agg(a."id" ORDER BY a."id") FROM "awards" a
  WHERE a."decision_id" = m."decision_id" AND a."status" = 'applied' AND a."applied_at" <= m."created_at"), '{}');
