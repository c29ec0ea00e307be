/** How admin units are named: their official kind and name, in the reader's language. */

import type { AdminUnit, Language } from './api.ts';

// Kinds are data; those not listed here keep their official Vietnamese word in English too.
const ENGLISH_KINDS: Readonly<Record<string, string>> = {
  tỉnh: 'province',
  'thành phố': 'city',
  'thị xã': 'town',
  huyện: 'district',
  xã: 'commune',
  phường: 'ward',
  'thị trấn': 'township',
  ấp: 'hamlet',
  'khu phố': 'ward quarter',
};

/** «Huyện Cái Bè», "Cái Bè district"; units named by a number keep their kind in front: "Ward 5". */
export function unitName(unit: Pick<AdminUnit, 'name' | 'kind'>, language: Language): string {
  // Some frames repeat the kind in the name («Ấp 1» of kind «ấp»): it is said once.
  if (unit.name.toLowerCase().startsWith(`${unit.kind.toLowerCase()} `)) return unit.name;
  const english = language === 'en' ? ENGLISH_KINDS[unit.kind] : undefined;
  if (english === undefined) return capitalise(`${unit.kind} ${unit.name}`.trim());
  return /^\d/.test(unit.name) ? capitalise(`${english} ${unit.name}`) : `${unit.name} ${english}`;
}

function capitalise(text: string): string {
  return text.charAt(0).toLocaleUpperCase('vi') + text.slice(1);
}
