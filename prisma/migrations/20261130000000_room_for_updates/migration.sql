-- A letter is written once and its state changes three times: claimed, handed over, sent. The long columns stand apart from the row,
-- so that a change does not copy them, and pages keep room, so that a change that no index sees stays on its page.
ALTER TABLE "messages" SET (toast_tuple_target = 128, fillfactor = 50);

-- A row that most scans of a parcel change, in columns that no index has: there is room for the next version on the same page.
ALTER TABLE "shipments" SET (fillfactor = 60);
ALTER TABLE "histories" SET (fillfactor = 50);
ALTER TABLE "estimates" SET (fillfactor = 70);
-- Looked at again and again, and mostly for nothing.
ALTER TABLE "orders" SET (fillfactor = 70);
