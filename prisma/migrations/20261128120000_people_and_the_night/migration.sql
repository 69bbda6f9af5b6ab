-- AlterTable
ALTER TABLE "tasks" ADD COLUMN     "assigned_at" TIMESTAMPTZ(3),
ADD COLUMN     "assignee_key_id" UUID,
ADD COLUMN     "escalated_at" TIMESTAMPTZ(3),
ADD COLUMN     "tries" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "sweep_runs" ADD COLUMN     "counts" JSONB,
ADD COLUMN     "cursor" TEXT,
ADD COLUMN     "is_past" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "resumed_at" TIMESTAMPTZ(3),
ADD COLUMN     "trace" TEXT;

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "looked_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "recheck_runs" (
    "id" UUID NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "requested_by" TEXT NOT NULL,
    "reason" TEXT,
    "filter" JSONB NOT NULL,
    "total" INTEGER NOT NULL,
    "trace" TEXT NOT NULL,

    CONSTRAINT "recheck_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "import_runs" (
    "id" UUID NOT NULL,
    "settings_hash" BYTEA NOT NULL,
    "file" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "bytes_done" BIGINT NOT NULL,
    "next_line" INTEGER NOT NULL,
    "prefix_hash" BYTEA NOT NULL,
    "report" JSONB NOT NULL,

    CONSTRAINT "import_runs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "recheck_runs_requested_at_idx" ON "recheck_runs"("requested_at");

-- CreateIndex
CREATE INDEX "import_runs_settings_hash_updated_at_idx" ON "import_runs"("settings_hash", "updated_at");

-- CreateIndex
CREATE INDEX "orders_registered_at_id_idx" ON "orders"("registered_at", "id");

-- CreateIndex
CREATE INDEX "orders_verdict_registered_at_id_idx" ON "orders"("verdict", "registered_at", "id");

-- CreateIndex
CREATE INDEX "shipments_carrier_key_order_id_idx" ON "shipments"("carrier_key", "order_id");

-- AddForeignKey
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_assignee_key_id_fkey" FOREIGN KEY ("assignee_key_id") REFERENCES "api_keys"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_assigned" CHECK (("assignee_key_id" IS NULL) = ("assigned_at" IS NULL));
CREATE INDEX "sweep_runs_unfinished" ON "sweep_runs" ("started_at") WHERE "finished_at" IS NULL;
-- What a run over many orders came to is asked by trace; webhooks, which make most verdicts, pay nothing for it.
CREATE INDEX "verdicts_of_runs" ON "verdicts" ("trace") WHERE "trigger" IN ('sweep', 'recheck', 'replay');
