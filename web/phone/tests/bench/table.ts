/** The table of what was measured, beside its goals. */

interface Row {
  what: string;
  measured: number;
  /** What it must not exceed, where that is a goal. */
  goal: number | null;
  unit: string;
}

/** Rows in the order in which they came. */
export class Table {
  readonly #rows: Row[] = [];

  add(what: string, measured: number, goal: number | null, unit: string): void {
    const row = { what, measured, goal, unit };
    this.#rows.push(row);
    // A run takes minutes: what is known is told at once.
    console.error(line(row));
  }

  print(): void {
    console.log('| | goal | measured | met |\n| --- | ---: | ---: | --- |');
    for (const row of this.#rows) console.log(line(row));
  }
}

function line({ what, measured, goal, unit }: Row): string {
  const met = goal === null ? '' : measured <= goal ? 'yes' : '**no**';
  const wanted = goal === null ? '' : `${goal} ${unit}`.trim();
  return `| ${what} | ${wanted} | ${written(measured)} ${unit} | ${met} |`.replace(/ {2,}/g, ' ');
}

function written(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
