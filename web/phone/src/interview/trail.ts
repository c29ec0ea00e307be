/** The steps of an interview as they stand in the browser's history, the newest last. */
export class Trail {
  #steps: string[] = [];

  /** How many entries of the history belong to the interview. */
  get length(): number {
    return this.#steps.length;
  }

  begin(step: string): void {
    this.#steps = [step];
  }

  /** Whether a step is the one before the newest. */
  isBack(step: string): boolean {
    return this.#steps.at(-2) === step;
  }

  /** Notes where the person is: back at a step of the way, or one further. */
  arrive(step: string): void {
    const known = this.#steps.lastIndexOf(step);
    if (known >= 0 && known === this.#steps.length - 2) this.#steps.pop();
    else this.#steps.push(step);
  }

  /** Puts a step in the place of the newest. */
  replace(step: string): void {
    this.#steps[this.#steps.length - 1] = step;
  }
}
