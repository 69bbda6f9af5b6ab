import type { Meaning } from '../adapter.js';
import { detailBeforeStatus } from '../detail-before-status.js';

/** AfterShip's `tag`, all documented values. */
export const TAGS: Readonly<Record<string, Meaning>> = {
  Pending: { status: 'pre_transit', exception: null },
  InfoReceived: { status: 'pre_transit', exception: null },
  InTransit: { status: 'in_transit', exception: null },
  OutForDelivery: { status: 'out_for_delivery', exception: null },
  AttemptFail: { status: 'attempted', exception: null },
  Delivered: { status: 'delivered', exception: null },
  AvailableForPickup: { status: 'available_for_pickup', exception: null },
  Exception: { status: 'exception', exception: 'other' },
  Expired: { status: 'unknown', exception: null },
};

/**
 * AfterShip's `subtag`, all documented values up to webhook version 2026-07. Of `Exception_014`, `Exception_015` and
 * `InTransit_011` to `_013` only the names are published: they mean what they are named after.
 */
export const SUBTAGS: Readonly<Record<string, Meaning>> = {
  Pending_001: { status: 'pre_transit', exception: null },
  Pending_002: { status: 'pre_transit', exception: null },
  Pending_003: { status: 'pre_transit', exception: null },
  Pending_004: { status: 'pre_transit', exception: null },
  Pending_005: { status: 'pre_transit', exception: null },
  Pending_006: { status: 'pre_transit', exception: null },
  InfoReceived_001: { status: 'pre_transit', exception: null },
  InTransit_001: { status: 'in_transit', exception: null },
  InTransit_002: { status: 'in_transit', exception: null },
  InTransit_003: { status: 'in_transit', exception: null },
  InTransit_004: { status: 'in_transit', exception: null },
  InTransit_005: { status: 'in_transit', exception: null },
  InTransit_006: { status: 'in_transit', exception: null },
  InTransit_007: { status: 'in_transit', exception: null },
  InTransit_008: { status: 'in_transit', exception: null },
  InTransit_009: { status: 'in_transit', exception: null },
  InTransit_011: { status: 'in_transit', exception: null },
  InTransit_012: { status: 'in_transit', exception: null },
  InTransit_013: { status: 'in_transit', exception: null },
  OutForDelivery_001: { status: 'out_for_delivery', exception: null },
  /** Of the time before there was a tag for it. */
  OutForDelivery_002: { status: 'available_for_pickup', exception: null },
  OutForDelivery_003: { status: 'out_for_delivery', exception: null },
  OutForDelivery_004: { status: 'out_for_delivery', exception: null },
  AttemptFail_001: { status: 'attempted', exception: null },
  AttemptFail_002: { status: 'attempted', exception: null },
  AttemptFail_003: { status: 'attempted', exception: null },
  AvailableForPickup_001: { status: 'available_for_pickup', exception: null },
  Delivered_001: { status: 'delivered', exception: null },
  Delivered_002: { status: 'delivered', exception: null },
  Delivered_003: { status: 'delivered', exception: null },
  Delivered_004: { status: 'delivered', exception: null },
  Delivered_005: { status: 'delivered', exception: null },
  Exception_001: { status: 'exception', exception: 'other' },
  Exception_002: { status: 'exception', exception: 'address' },
  Exception_003: { status: 'exception', exception: 'refused' },
  Exception_004: { status: 'exception', exception: 'customs' },
  Exception_005: { status: 'exception', exception: 'delay' },
  Exception_006: { status: 'exception', exception: 'payment' },
  Exception_007: { status: 'exception', exception: 'address' },
  Exception_008: { status: 'exception', exception: 'unclaimed' },
  Exception_009: { status: 'exception', exception: 'refused' },
  Exception_010: { status: 'return_to_sender', exception: null },
  Exception_011: { status: 'return_to_sender', exception: null },
  Exception_012: { status: 'exception', exception: 'damaged' },
  Exception_013: { status: 'exception', exception: 'lost' },
  Exception_014: { status: 'exception', exception: 'other' },
  Exception_015: { status: 'exception', exception: 'other' },
  Exception_016: { status: 'exception', exception: 'delay' },
  Exception_017: { status: 'exception', exception: 'weather' },
  Exception_018: { status: 'exception', exception: 'customs' },
  Exception_019: { status: 'exception', exception: 'delay' },
  Exception_020: { status: 'cancelled', exception: null },
  Exception_021: { status: 'exception', exception: 'disposed' },
  Expired_001: { status: 'unknown', exception: null },
};

/** What a checkpoint's tag (the status), subtag (the detail) and message mean, and which of them we do not know. */
export const { meaningOf, scanOf, unrecognisedOf } = detailBeforeStatus({ statuses: TAGS, details: SUBTAGS });
