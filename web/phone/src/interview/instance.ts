/** Instances of rosters, as people call them. */

import type { Instance } from '../core/protocol.ts';

/** Whether an instance has a name of its own yet. */
export function isNamed({ title, number }: Pick<Instance, 'title' | 'number'>): boolean {
  return title.trim() !== '' && title !== String(number);
}
