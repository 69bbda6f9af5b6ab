-- CreateTable
CREATE TABLE "inbox" (
    "id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "dedupe_key" UUID NOT NULL,
    "delivery_id" TEXT,
    "body" BYTEA NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tracking_events" (
    "scan_key" UUID NOT NULL,
    "inbox_id" UUID,
    "source" TEXT NOT NULL,
    "carrier" TEXT NOT NULL,
    "carrier_key" TEXT NOT NULL,
    "tracking_key" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "exception" TEXT,
    "disputed" BOOLEAN NOT NULL DEFAULT false,
    "occurred_at" TIMESTAMPTZ(3),
    "occurred_local" TEXT,
    "occurred_on" DATE,
    "time_zone" TEXT,
    "code" TEXT NOT NULL,
    "text" TEXT,
    "place" TEXT,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tracking_events_pkey" PRIMARY KEY ("scan_key")
);

-- CreateTable
CREATE TABLE "estimates" (
    "source" TEXT NOT NULL,
    "carrier_key" TEXT NOT NULL,
    "tracking_key" TEXT NOT NULL,
    "estimated_on" DATE,
    "estimated_at" TIMESTAMPTZ(3),
    "reported_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "estimates_pkey" PRIMARY KEY ("tracking_key","carrier_key","source")
);

-- CreateTable
CREATE TABLE "customers" (
    "id" TEXT NOT NULL,
    "email" TEXT,
    "name" TEXT,
    "phone" TEXT,
    "locale" TEXT,
    "membership_tier" TEXT,
    "membership_renews_on" DATE,
    "membership_trial" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "customers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "orders" (
    "id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(3),
    "total_minor" BIGINT,
    "shipping_paid_minor" BIGINT,
    "currency" TEXT,
    "promise_on" DATE,
    "promise_at" TIMESTAMPTZ(3),
    "promise_time_zone" TEXT NOT NULL,
    "promised_until" TIMESTAMPTZ(3) NOT NULL,
    "ship_by" TIMESTAMPTZ(3),
    "occasion_name" TEXT,
    "occasion_on" DATE,
    "destination_country" TEXT,
    "destination_region" TEXT,
    "destination_postal_code" TEXT,
    "registered_at" TIMESTAMPTZ(3) NOT NULL,
    "due_at" TIMESTAMPTZ(3),
    "verdict" TEXT,
    "verdict_id" UUID,
    "judged_at" TIMESTAMPTZ(3),

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "shipments" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "carrier" TEXT NOT NULL,
    "carrier_key" TEXT NOT NULL,
    "tracking_number" TEXT NOT NULL,
    "tracking_key" TEXT NOT NULL,
    "service" TEXT,
    "alias_keys" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "promise_on" DATE,
    "promise_at" TIMESTAMPTZ(3),
    "promise_time_zone" TEXT,
    "status" TEXT NOT NULL DEFAULT 'unknown',
    "delivered_at" TIMESTAMPTZ(3),
    "estimated_on" DATE,
    "estimated_at" TIMESTAMPTZ(3),
    "tracked_at" TIMESTAMPTZ(3),

    CONSTRAINT "shipments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "verdicts" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "verdict" TEXT NOT NULL,
    "promised_until" TIMESTAMPTZ(3) NOT NULL,
    "met_at" TIMESTAMPTZ(3),
    "late_minutes" INTEGER,
    "late_days" INTEGER,
    "fault" TEXT,
    "judged_at" TIMESTAMPTZ(3) NOT NULL,
    "policy_version" INTEGER NOT NULL,
    "trigger" TEXT NOT NULL,
    "trace" TEXT NOT NULL,
    "incident" TEXT,
    "declined_because" TEXT,
    "inputs" JSONB NOT NULL,
    "facts" JSONB,
    "explanation" TEXT[],

    CONSTRAINT "verdicts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "incidents" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "incidents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "awards" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "incident" TEXT NOT NULL,
    "decision_id" UUID NOT NULL,
    "class" TEXT NOT NULL,
    "step" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "months" INTEGER,
    "amount_minor" BIGINT,
    "currency" TEXT,
    "shipping" TEXT,
    "status" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "policy_version" INTEGER NOT NULL,
    "decided_at" TIMESTAMPTZ(3) NOT NULL,
    "applied_at" TIMESTAMPTZ(3),

    CONSTRAINT "awards_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_accounts" (
    "id" UUID NOT NULL,
    "owner_kind" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "unit" TEXT NOT NULL,
    "balance" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_transfers" (
    "id" UUID NOT NULL,
    "award_id" UUID,
    "kind" TEXT NOT NULL,
    "posted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ledger_transfers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_entries" (
    "transfer_id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,

    CONSTRAINT "ledger_entries_pkey" PRIMARY KEY ("transfer_id","account_id")
);

-- CreateTable
CREATE TABLE "messages" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "decision_id" UUID NOT NULL,
    "template" TEXT NOT NULL,
    "to_address" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "letter" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "handover_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "response" TEXT,

    CONSTRAINT "messages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "mailbox" (
    "message_id" TEXT NOT NULL,
    "to_address" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "source" BYTEA NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mailbox_pkey" PRIMARY KEY ("message_id")
);

-- CreateTable
CREATE TABLE "tasks" (
    "id" UUID NOT NULL,
    "order_id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "incident" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'open',
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tasks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox" (
    "id" UUID NOT NULL,
    "stage" TEXT NOT NULL,
    "ids" TEXT[],
    "trigger" TEXT NOT NULL,
    "trace" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "relay_after" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "parked_at" TIMESTAMPTZ(3),
    "error" TEXT,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_versions" (
    "version" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "document" JSONB NOT NULL,
    "activated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "activated_by" TEXT NOT NULL,
    "reason" TEXT NOT NULL,

    CONSTRAINT "policy_versions_pkey" PRIMARY KEY ("version")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL,
    "role" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "key_hash" BYTEA NOT NULL,
    "from_env" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit" (
    "seq" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "reason" TEXT,
    "details" JSONB NOT NULL,
    "previous_hash" BYTEA NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "sweep_runs" (
    "id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "as_of" TIMESTAMPTZ(3) NOT NULL,
    "report" JSONB,

    CONSTRAINT "sweep_runs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "inbox_dedupe_key_unique" ON "inbox"("dedupe_key");

-- CreateIndex
CREATE INDEX "inbox_received_at_idx" ON "inbox"("received_at");

-- CreateIndex
CREATE INDEX "tracking_events_tracking_key_idx" ON "tracking_events"("tracking_key");

-- CreateIndex
CREATE INDEX "orders_customer_id_idx" ON "orders"("customer_id");

-- CreateIndex
CREATE INDEX "shipments_tracking_key_idx" ON "shipments"("tracking_key");

-- CreateIndex
CREATE UNIQUE INDEX "shipments_one_per_order_and_number" ON "shipments"("order_id", "carrier_key", "tracking_key");

-- CreateIndex
CREATE INDEX "verdicts_order_id_judged_at_idx" ON "verdicts"("order_id", "judged_at");

-- CreateIndex
CREATE UNIQUE INDEX "incidents_one_per_order_and_kind" ON "incidents"("order_id", "kind");

-- CreateIndex
CREATE INDEX "awards_customer_id_decided_at_idx" ON "awards"("customer_id", "decided_at");

-- CreateIndex
CREATE INDEX "awards_decision_id_idx" ON "awards"("decision_id");

-- CreateIndex
CREATE UNIQUE INDEX "awards_one_per_incident_class_and_step" ON "awards"("order_id", "incident", "class", "step");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_accounts_one_per_owner_and_unit" ON "ledger_accounts"("owner_kind", "owner_id", "unit");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_transfers_one_per_award" ON "ledger_transfers"("award_id");

-- CreateIndex
CREATE INDEX "ledger_entries_account_id_idx" ON "ledger_entries"("account_id");

-- CreateIndex
CREATE UNIQUE INDEX "messages_message_id_unique" ON "messages"("message_id");

-- CreateIndex
CREATE INDEX "messages_order_id_idx" ON "messages"("order_id");

-- CreateIndex
CREATE UNIQUE INDEX "messages_one_per_decision_and_template" ON "messages"("decision_id", "template");

-- CreateIndex
CREATE UNIQUE INDEX "tasks_one_per_incident_and_rule" ON "tasks"("order_id", "incident", "rule");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_hash_unique" ON "api_keys"("key_hash");

-- CreateIndex
CREATE INDEX "sweep_runs_started_at_idx" ON "sweep_runs"("started_at");

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "shipments" ADD CONSTRAINT "shipments_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "verdicts" ADD CONSTRAINT "verdicts_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "incidents" ADD CONSTRAINT "incidents_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "awards" ADD CONSTRAINT "awards_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "awards" ADD CONSTRAINT "awards_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "awards" ADD CONSTRAINT "awards_decision_id_fkey" FOREIGN KEY ("decision_id") REFERENCES "verdicts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_transfers" ADD CONSTRAINT "ledger_transfers_award_id_fkey" FOREIGN KEY ("award_id") REFERENCES "awards"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_transfer_id_fkey" FOREIGN KEY ("transfer_id") REFERENCES "ledger_transfers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "ledger_accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_decision_id_fkey" FOREIGN KEY ("decision_id") REFERENCES "verdicts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say -------------------------------------------------------------------------------------------

-- Only what is waiting is in these indexes, so their cost does not grow with what is done.
CREATE INDEX "orders_due" ON "orders" ("due_at") WHERE "due_at" IS NOT NULL;
CREATE INDEX "outbox_relay" ON "outbox" ("relay_after") WHERE "parked_at" IS NULL;
CREATE INDEX "outbox_stage" ON "outbox" ("stage", "id") WHERE "parked_at" IS NULL;
CREATE INDEX "awards_pending" ON "awards" ("decided_at") WHERE "status" = 'pending';
CREATE INDEX "messages_unsent" ON "messages" ("created_at") WHERE "status" IN ('queued', 'sending');

-- A queue table: many short-lived rows, so dead ones must go early.
ALTER TABLE "outbox" SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200);

ALTER TABLE "tracking_events"
  ADD CONSTRAINT "tracking_events_one_time" CHECK (num_nonnulls("occurred_at", "occurred_local", "occurred_on") = 1),
  ADD CONSTRAINT "tracking_events_status" CHECK ("status" IN ('pre_transit', 'in_transit', 'out_for_delivery', 'attempted',
    'available_for_pickup', 'delivered', 'exception', 'return_to_sender', 'cancelled', 'unknown'));
ALTER TABLE "estimates"
  ADD CONSTRAINT "estimates_one_kind" CHECK (num_nonnulls("estimated_on", "estimated_at") = 1);
ALTER TABLE "orders"
  ADD CONSTRAINT "orders_one_promise" CHECK (num_nonnulls("promise_on", "promise_at") = 1),
  ADD CONSTRAINT "orders_money" CHECK (("total_minor" IS NULL OR "total_minor" >= 0)
    AND ("shipping_paid_minor" IS NULL OR "shipping_paid_minor" >= 0)
    AND (num_nonnulls("total_minor", "shipping_paid_minor") = 0 OR "currency" IS NOT NULL)),
  ADD CONSTRAINT "orders_occasion" CHECK (num_nonnulls("occasion_name", "occasion_on") <> 1);
ALTER TABLE "shipments"
  ADD CONSTRAINT "shipments_promise" CHECK (num_nonnulls("promise_on", "promise_at") <= 1
    AND (num_nonnulls("promise_on", "promise_at") = 0 OR "promise_time_zone" IS NOT NULL));
ALTER TABLE "awards"
  ADD CONSTRAINT "awards_kind" CHECK ("kind" IN ('membership_extension', 'store_credit', 'refund', 'shipping_refund', 'points',
    'replacement', 'gift', 'call')),
  ADD CONSTRAINT "awards_status" CHECK ("status" IN ('pending', 'held', 'awaiting_approval', 'applied', 'declined', 'reversed',
    'failed')),
  ADD CONSTRAINT "awards_content" CHECK (
    CASE
      WHEN "kind" = 'membership_extension' THEN "months" IS NOT NULL AND "months" > 0 AND "amount_minor" IS NULL
      WHEN "kind" IN ('replacement', 'call') THEN "months" IS NULL AND "amount_minor" IS NULL
      ELSE "months" IS NULL AND "amount_minor" IS NOT NULL AND "amount_minor" >= 0 AND "currency" IS NOT NULL
    END),
  ADD CONSTRAINT "awards_step" CHECK ("step" >= 1),
  ADD CONSTRAINT "awards_applied" CHECK ("status" <> 'applied' OR "applied_at" IS NOT NULL);
ALTER TABLE "messages"
  ADD CONSTRAINT "messages_status" CHECK ("status" IN ('queued', 'sending', 'sent', 'failed', 'unknown', 'suppressed')),
  ADD CONSTRAINT "messages_sent" CHECK ("status" <> 'sent' OR "sent_at" IS NOT NULL);
ALTER TABLE "ledger_accounts"
  ADD CONSTRAINT "ledger_accounts_owner" CHECK ("owner_kind" IN ('customer', 'house'));
ALTER TABLE "ledger_entries"
  ADD CONSTRAINT "ledger_entries_amount" CHECK ("amount" <> 0);
ALTER TABLE "api_keys"
  ADD CONSTRAINT "api_keys_role" CHECK ("role" IN ('ingest', 'agent', 'supervisor', 'admin'));

-- History is written once. What must be undone is undone by a new row.
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "verdicts_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "verdicts" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "ledger_transfers_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_transfers" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "ledger_entries_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_entries" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "policy_versions_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "policy_versions" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- The promise is made once.
CREATE FUNCTION "keep_promise"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the promise of % in % never changes', OLD.id, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "orders_keep_promise" BEFORE UPDATE ON "orders" FOR EACH ROW
  WHEN ((OLD.promise_on, OLD.promise_at, OLD.promise_time_zone, OLD.promised_until, OLD.customer_id)
    IS DISTINCT FROM (NEW.promise_on, NEW.promise_at, NEW.promise_time_zone, NEW.promised_until, NEW.customer_id))
  EXECUTE FUNCTION "keep_promise"();
CREATE TRIGGER "shipments_keep_promise" BEFORE UPDATE ON "shipments" FOR EACH ROW
  WHEN ((OLD.promise_on, OLD.promise_at, OLD.promise_time_zone)
    IS DISTINCT FROM (NEW.promise_on, NEW.promise_at, NEW.promise_time_zone))
  EXECUTE FUNCTION "keep_promise"();

-- Double entry. Both sides of a transfer are inserted by one statement: they add up to nothing, in one unit, and the
-- customer's balance moves with them. There is no other way to change a balance.
CREATE FUNCTION "post_ledger_entries"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM posted JOIN ledger_accounts a ON a.id = posted.account_id
    GROUP BY posted.transfer_id HAVING sum(posted.amount) <> 0 OR count(DISTINCT a.unit) <> 1 OR count(*) < 2
  ) THEN
    RAISE EXCEPTION 'the entries of a transfer do not add up to nothing in one unit' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE ledger_accounts a SET balance = a.balance + moved.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM posted GROUP BY account_id) moved
    WHERE a.id = moved.account_id AND a.owner_kind = 'customer';
  RETURN NULL;
END $$;
CREATE TRIGGER "ledger_entries_post" AFTER INSERT ON "ledger_entries" REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION "post_ledger_entries"();

CREATE FUNCTION "refuse_balance_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a balance only moves with ledger entries' USING ERRCODE = 'restrict_violation';
END $$;
-- Depth 0 is an UPDATE of somebody's own; the posting trigger's update comes at depth 1.
CREATE TRIGGER "ledger_accounts_balance" BEFORE UPDATE ON "ledger_accounts" FOR EACH ROW
  WHEN (OLD.balance IS DISTINCT FROM NEW.balance AND pg_trigger_depth() = 0)
  EXECUTE FUNCTION "refuse_balance_change"();
CREATE TRIGGER "ledger_accounts_open_empty" BEFORE INSERT ON "ledger_accounts" FOR EACH ROW
  WHEN (NEW.balance <> 0) EXECUTE FUNCTION "refuse_balance_change"();

-- The audit chain: each row is numbered without gaps and sealed with the hash of the one before. One writer at a time.
CREATE FUNCTION "seal_audit"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last audit%ROWTYPE;
BEGIN
  PERFORM pg_advisory_xact_lock(7205759404);
  SELECT * INTO last FROM audit ORDER BY seq DESC LIMIT 1;
  NEW.seq := coalesce(last.seq, 0) + 1;
  NEW.previous_hash := coalesce(last.hash, '\x00'::bytea);
  NEW.hash := sha256(NEW.previous_hash || convert_to(jsonb_build_array(NEW.seq, extract(epoch FROM NEW.at), NEW.actor, NEW.action,
    NEW.subject, NEW.reason, NEW.details)::text, 'UTF8'));
  RETURN NEW;
END $$;
CREATE TRIGGER "audit_seal" BEFORE INSERT ON "audit" FOR EACH ROW EXECUTE FUNCTION "seal_audit"();
