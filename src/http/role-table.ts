import type { Role } from '../auth/roles.js';

/** Whom a route is for: everybody, keys that may act as one role, or as any of several. */
export type Access = 'public' | Role | readonly Role[];

/** A method and a path as the routes write it; `/*` at its end stands for the path before it and all below. */
export type RoleTable = Readonly<Record<`${'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'} /${string}`, Access>>;

/**
 * Who may use what, of all routes: the only place that says so. A supervisor may do what an agent may, an admin everything
 * (src/auth/roles.ts). HEAD follows GET where it has no line of its own. A route without a line, or a line without a route,
 * keeps the server from starting (plugins/look-up-roles.ts).
 */
export const ROLE_TABLE = {
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'public',
  'GET /openapi.json': 'public',
  'GET /docs/*': 'public',
  // The page and letters with invented facts; real ones are asked for with a key.
  'GET /mailbox/*': 'public',

  // Whoever sends a webhook proves it by a signature.
  'POST /webhooks/:source': 'public',
  'HEAD /webhooks/:source': 'public',

  // Whoever has the link has the letter.
  'GET /answers/:token/:answer': 'public',
  'POST /answers/:token/:answer': 'public',
  'GET /unsubscribe/:token': 'public',
  'POST /unsubscribe/:token': 'public',

  'GET /v1/orders': 'agent',
  'PUT /v1/orders/:id': 'ingest',
  'GET /v1/orders/:id': 'agent',
  'POST /v1/orders/:id/recheck': 'agent',
  'POST /v1/orders/:id/awards': 'agent',
  'POST /v1/rechecks': 'agent',
  'POST /v1/rechecks/preview': 'agent',
  'GET /v1/rechecks/:id': 'agent',

  'POST /v1/awards/:id/approve': 'supervisor',
  'POST /v1/awards/:id/decline': 'supervisor',
  'POST /v1/awards/:id/retry': 'supervisor',
  'PATCH /v1/awards/:id': 'agent',
  'POST /v1/awards/:id/reverse': 'supervisor',

  'GET /v1/approvals': 'supervisor',
  'POST /v1/approvals': 'supervisor',
  'POST /v1/approvals/preview': 'supervisor',
  'GET /v1/breaker': 'supervisor',
  'POST /v1/breaker/preview': 'admin',
  'POST /v1/breaker/reset': 'admin',

  'GET /v1/customers/:id/ledger': 'agent',
  'POST /v1/customers/:id/ledger/debits': ['ingest', 'supervisor'],
  'POST /v1/contacts': ['ingest', 'agent'],
  'POST /v1/incidents': ['ingest', 'agent'],
  'GET /v1/contacts/measure': 'supervisor',

  'GET /v1/tasks': 'agent',
  'POST /v1/tasks/:id/complete': 'agent',
  'POST /v1/tasks/:id/assign': 'agent',
  'POST /v1/tasks/:id/postpone': 'agent',

  'GET /v1/suppressions': 'agent',
  'POST /v1/suppressions': 'agent',
  'DELETE /v1/suppressions/:id': 'supervisor',
  'POST /v1/bounces': ['ingest', 'supervisor'],

  'GET /v1/messages': 'agent',
  'GET /v1/messages/:id': 'agent',
  'POST /v1/messages/:id/release': 'supervisor',
  'POST /v1/messages/:id/withdraw': 'supervisor',
  'POST /v1/messages/:id/resend': 'supervisor',
  'POST /v1/messages/:id/settle': 'supervisor',

  'GET /v1/alarms': 'agent',
  'GET /v1/sweeps': 'supervisor',
  'GET /v1/audit': 'admin',

  'GET /v1/keys': 'admin',
  'POST /v1/keys': 'admin',
  'POST /v1/keys/:id/revoke': 'admin',

  'GET /v1/events': 'ingest',
  'GET /v1/event-endpoints': 'admin',
  'POST /v1/event-endpoints': 'admin',
  'GET /v1/event-endpoints/:id': 'admin',
  'PATCH /v1/event-endpoints/:id': 'admin',
  'DELETE /v1/event-endpoints/:id': 'admin',
  'POST /v1/event-endpoints/:id/rotate-secret': 'admin',
  'POST /v1/event-endpoints/:id/replay': 'admin',
  'POST /v1/event-endpoints/:id/test': 'admin',
  'GET /v1/event-endpoints/:id/deliveries': 'admin',
} as const satisfies RoleTable;
