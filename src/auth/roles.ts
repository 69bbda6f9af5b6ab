/** Who may do what. A supervisor may do what an agent may, an admin everything; `ingest` is for systems and stands apart. */
export const ROLES = ['ingest', 'agent', 'supervisor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const MAY_ACT_AS: Readonly<Record<Role, readonly Role[]>> = {
  ingest: ['ingest'],
  agent: ['agent'],
  supervisor: ['agent', 'supervisor'],
  admin: ['ingest', 'agent', 'supervisor', 'admin'],
};

/** Whether a key of one role may use what is meant for another, or for any of several. */
export function mayActAs(role: Role, needed: Role | readonly Role[]): boolean {
  return [needed].flat().some((one) => MAY_ACT_AS[role].includes(one));
}
