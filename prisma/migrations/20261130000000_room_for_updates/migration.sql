-- A letter is written once and its state changes three times: claimed, handed over, sent. The long columns stand apart from the row,
-- so that a change does not copy them, and pages keep room, so that a change that no index sees stays on its page.
ALTER TABLE "messages" SET (toast_tuple_target = 128, fillfactor = 50);
