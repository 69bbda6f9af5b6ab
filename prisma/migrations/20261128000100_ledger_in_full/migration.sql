-- What Prisma cannot say of the ledger: lots, what may be taken from them, and who may touch them.

ALTER TABLE "ledger_transfers"
  ADD CONSTRAINT "ledger_transfers_kind" CHECK ("kind" IN ('award', 'spend', 'expire', 'adjust', 'reversal')),
  -- A reversal takes from one grant, and so does the expiry of a rest; what a shop lets expire by hand names none.
  ADD CONSTRAINT "ledger_transfers_of_transfer" CHECK (CASE "kind" WHEN 'reversal' THEN "of_transfer" IS NOT NULL
    WHEN 'expire' THEN true ELSE "of_transfer" IS NULL END);
CREATE UNIQUE INDEX "ledger_transfers_one_reversal" ON "ledger_transfers" ("of_transfer") WHERE "kind" = 'reversal';

-- What customers have is never less than nothing. House accounts are where it comes from and goes to.
ALTER TABLE "ledger_accounts"
  ADD CONSTRAINT "ledger_accounts_balance" CHECK ("owner_kind" = 'house' OR "balance" >= 0),
  -- Balances are rewritten often: room on the page keeps the rewrites there, and out of the indexes.
  SET (fillfactor = 80);
ALTER TABLE "ledger_lots"
  ADD CONSTRAINT "ledger_lots_remaining" CHECK ("granted" > 0 AND "remaining" BETWEEN 0 AND "granted");
ALTER TABLE "ledger_lot_uses"
  ADD CONSTRAINT "ledger_lot_uses_amount" CHECK ("amount" > 0);

-- What is used up is in neither.
CREATE INDEX "ledger_lots_open" ON "ledger_lots" ("account_id", "expires_at", "granted_at", "transfer_id") WHERE "remaining" > 0;
CREATE INDEX "ledger_lots_expiring" ON "ledger_lots" ("expires_at") WHERE "remaining" > 0 AND "expires_at" IS NOT NULL;

-- Takes an amount from what an account still has: from the grant that the transfer names and from no other, else from whatever
-- ends soonest. What has ended cannot be spent. Too little there: SQLSTATE MG001, and nothing happened.
CREATE FUNCTION "take_from_lots"("taking" "ledger_transfers", "from_account" uuid, "wanted" bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  got bigint;
BEGIN
  WITH open_lots AS (
    SELECT l.transfer_id, l.remaining, sum(l.remaining) OVER (ORDER BY l.expires_at, l.granted_at, l.transfer_id) - l.remaining AS ahead
    FROM ledger_lots l
    WHERE l.account_id = from_account AND l.remaining > 0
      AND (taking.of_transfer IS NULL OR l.transfer_id = taking.of_transfer)
      AND (taking.kind <> 'spend' OR l.expires_at IS NULL OR l.expires_at > taking.posted_at)
      -- What names a grant as ended must be right about it.
      AND (taking.kind <> 'expire' OR taking.of_transfer IS NULL OR l.expires_at <= taking.posted_at)
  ), shares AS (
    SELECT o.transfer_id, least(o.remaining, wanted - o.ahead)::bigint AS amount FROM open_lots o WHERE o.ahead < wanted
  ), taken AS (
    UPDATE ledger_lots l SET remaining = l.remaining - s.amount FROM shares s
    WHERE l.transfer_id = s.transfer_id AND l.account_id = from_account
    RETURNING s.transfer_id, s.amount
  ), used AS (
    INSERT INTO ledger_lot_uses (transfer_id, lot_transfer_id, account_id, amount)
    SELECT taking.id, t.transfer_id, from_account, t.amount FROM taken t
    RETURNING amount
  )
  SELECT coalesce(sum(u.amount), 0) INTO got FROM used u;
  IF got < wanted THEN
    RAISE EXCEPTION 'transfer % takes %, and there is % to take', taking.id, wanted, got USING ERRCODE = 'MG001';
  END IF;
END $$;

-- What was granted before lots were kept, and what was taken of it. These awards are the ledger's for good.
INSERT INTO "ledger_lots" ("transfer_id", "account_id", "granted", "remaining", "granted_at", "expires_at")
  SELECT e."transfer_id", e."account_id", e."amount", e."amount", t."posted_at", t."expires_at"
  FROM "ledger_entries" e JOIN "ledger_transfers" t ON t."id" = e."transfer_id" JOIN "ledger_accounts" a ON a."id" = e."account_id"
  WHERE e."amount" > 0 AND a."owner_kind" = 'customer';
DO $$
DECLARE
  debit record;
BEGIN
  FOR debit IN
    SELECT t AS transfer, e.account_id, -e.amount AS amount
    FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id JOIN ledger_accounts a ON a.id = e.account_id
    WHERE e.amount < 0 AND a.owner_kind = 'customer' ORDER BY t.posted_at, t.id
  LOOP
    PERFORM take_from_lots(debit.transfer, debit.account_id, debit.amount);
  END LOOP;
END $$;
UPDATE "awards" a SET "provider" = 'ledger' FROM "ledger_transfers" t WHERE t."award_id" = a."id";

-- Double entry, as before; and what customers get becomes a lot, what they give comes out of lots. The rights are those of the
-- owner: the role that the application works as can touch neither balances nor lots. What only gives is a few statements for
-- all of it; only what takes is gone through one by one. Its plans are made once a session, perhaps while the tables were small,
-- and must not read all of them from then on: whatever the statistics say, a batch finds its rows by their indexes.
CREATE OR REPLACE FUNCTION "post_ledger_entries"() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  debit record;
BEGIN
  IF EXISTS (
    SELECT 1 FROM posted JOIN ledger_accounts a ON a.id = posted.account_id
    GROUP BY posted.transfer_id HAVING sum(posted.amount) <> 0 OR count(DISTINCT a.unit) <> 1 OR count(*) < 2
  ) THEN
    RAISE EXCEPTION 'the entries of a transfer do not add up to nothing in one unit' USING ERRCODE = 'check_violation';
  END IF;
  INSERT INTO ledger_lots (transfer_id, account_id, granted, remaining, granted_at, expires_at)
    SELECT p.transfer_id, p.account_id, p.amount, p.amount, t.posted_at, t.expires_at
    FROM posted p JOIN ledger_transfers t ON t.id = p.transfer_id JOIN ledger_accounts a ON a.id = p.account_id
    WHERE p.amount > 0 AND a.owner_kind = 'customer';
  -- Whoever else takes from these accounts waits here, and reads the lots after.
  PERFORM 1 FROM ledger_accounts a
    WHERE a.owner_kind = 'customer' AND a.id IN (SELECT p.account_id FROM posted p WHERE p.amount < 0)
    ORDER BY a.id FOR NO KEY UPDATE;
  IF FOUND THEN
    FOR debit IN
      SELECT t AS transfer, p.account_id, -p.amount AS amount
      FROM posted p JOIN ledger_transfers t ON t.id = p.transfer_id JOIN ledger_accounts a ON a.id = p.account_id
      WHERE p.amount < 0 AND a.owner_kind = 'customer' ORDER BY p.account_id, t.posted_at, t.id
    LOOP
      PERFORM take_from_lots(debit.transfer, debit.account_id, debit.amount);
    END LOOP;
  END IF;
  UPDATE ledger_accounts a SET balance = a.balance + moved.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM posted GROUP BY account_id) moved
    WHERE a.id = moved.account_id AND a.owner_kind = 'customer';
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION "post_ledger_entries"() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION "take_from_lots"("ledger_transfers", uuid, bigint) FROM PUBLIC;

-- Depth 0 is a statement of somebody's own; those of the posting trigger come at depth 1.
CREATE FUNCTION "refuse_lot_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% only moves with ledger entries', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "ledger_lots_keep" BEFORE INSERT OR UPDATE OR DELETE ON "ledger_lots" FOR EACH STATEMENT
  WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION "refuse_lot_change"();
CREATE TRIGGER "ledger_lots_never_deleted" BEFORE DELETE OR TRUNCATE ON "ledger_lots" FOR EACH STATEMENT
  EXECUTE FUNCTION "refuse_lot_change"();
CREATE TRIGGER "ledger_lot_uses_keep" BEFORE INSERT ON "ledger_lot_uses" FOR EACH STATEMENT
  WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION "refuse_lot_change"();
CREATE TRIGGER "ledger_lot_uses_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_lot_uses" FOR EACH STATEMENT
  EXECUTE FUNCTION "refuse_change"();

-- An account that changed its unit would change what every entry on it means.
CREATE FUNCTION "keep_unit"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an account never changes its unit' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "ledger_accounts_keep_unit" BEFORE UPDATE ON "ledger_accounts" FOR EACH ROW
  WHEN (OLD.unit IS DISTINCT FROM NEW.unit) EXECUTE FUNCTION "keep_unit"();
