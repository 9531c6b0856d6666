import type { Ledger } from '../ledger.ts';
import type { Door } from '../load/chaos-client.ts';

/** VerifyEvents finds no fault, whichever node computes the chain. */
export async function checkVerified(ledger: Ledger, doors: readonly Door[]): Promise<void> {
  for (const { name, api } of doors) {
    const { events, streams, faults } = await api.verifyEvents({});
    ledger.note(`${name} has verified ${events} events of ${streams} streams`);
    ledger.count('events verified', Number(events));
    if (faults.length > 0) {
      ledger.violate('the chain verifies on every node', `${faults.length} faults on ${name}`, faults.map(({ position, subject, revision, message }) => (
        `${position} ${subject} revision ${revision}: ${message}`
      )));
    }
  }
}
