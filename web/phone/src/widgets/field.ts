/** What a widget is given, and what it tells. */

import type { Question, Value } from '../core/protocol.ts';

/** A question on a page, with the answer as it is to be shown. */
export interface Field {
  readonly question: Question;
  /** The answer: as chosen since, else as it is kept. */
  readonly value: Value | null;
  /** The characters in the input field, while they differ from how the answer is written. */
  readonly typed: string | null;
  /** The id of the control that the label belongs to. */
  readonly id: string;
  /** The id of the label's element. */
  readonly labelledBy: string;
  /** The ids of hint, explanation and messages. */
  readonly describedBy: string | undefined;
  readonly invalid: boolean;
  /** The language of labels and choices. */
  readonly language: string;
  /** An answer that is complete, such as a choice. */
  choose(value: Value | null): void;
  /** An answer to which more is likely to be typed. */
  type(value: Value | null, typed: string): void;
  /** Characters that are no answer. */
  mistake(typed: string, message: string): void;
  /** The person has left the field. */
  leave(): void;
  keepFile(name: string, type: string, bytes: Uint8Array): Promise<void>;
}

/** Whether a question's appearance has a word. */
export function has(question: Question, ...words: string[]): boolean {
  return question.appearance.some((word) => words.includes(word));
}
