/** How admin units are named. */

import type { AdminUnit } from './api.ts';

/**
 * The official kind and name, «Huyện Cái Bè» or «Phường 5», with a capital. Kinds are data and part of
 * the official name, so that it is the same in every language of the interface.
 */
export function unitName(unit: Pick<AdminUnit, 'name' | 'kind'>): string {
  // Some frames repeat the kind in the name («Ấp 1» of kind «ấp»): it is said once.
  const repeated = unit.name.toLowerCase().startsWith(`${unit.kind.toLowerCase()} `);
  const name = repeated ? unit.name : `${unit.kind} ${unit.name}`.trim();
  return name.charAt(0).toLocaleUpperCase('vi') + name.slice(1);
}
