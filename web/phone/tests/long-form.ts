/** A questionnaire longer than any that was ever asked, for finding out whether phones bear it. */

/** How many questions are added to the questionnaire. */
export const QUESTIONS = 800;
/** How many instances the added roster gets. */
export const PLOTS = 30;

const IN_A_SECTION = 40;
const VIETNAMESE = 'label::Tiếng Việt (vi)';
/** The sheet after that of the questions begins so. */
const CHOICES = '| choices |';

/** Adds sections of questions and a roster, whose length is an answer, at the end of a questionnaire's Markdown tables. */
export function lengthened(form: string): string {
  const columns = columnsOf(form);
  const row = (cells: Readonly<Record<string, string>>): string =>
    `| | ${[...columns, 'repeat_count'].map((column) => cells[column] ?? '').join(' | ')} |`;
  const question = (type: string, name: string, label: string): string =>
    row({ type, name, [VIETNAMESE]: label });
  const rows: string[] = [];
  for (let number = 1; number <= QUESTIONS; number += 1) {
    const section = Math.ceil(number / IN_A_SECTION);
    if (number % IN_A_SECTION === 1)
      rows.push(question('begin_group', `section_${section}`, `Phần ${section}`));
    rows.push(question('integer', `long_${number}`, `Câu ${number}`));
    if (number % IN_A_SECTION === 0) rows.push(row({ type: 'end_group' }));
  }
  rows.push(
    question('begin_group', 'land', 'Đất đai'),
    question('integer', 'plot_count', 'Có bao nhiêu thửa đất?'),
    row({
      type: 'begin_repeat',
      name: 'plots',
      [VIETNAMESE]: 'Thửa đất',
      repeat_count: '${plot_count}',
    }),
    question('text', 'plot_name', 'Tên thửa'),
    row({ type: 'end_repeat' }),
    row({ type: 'end_group' }),
  );
  const heading = form.split('\n').find((line) => line.startsWith('| | type |')) ?? '';
  return form
    .replace(heading, `${heading.trimEnd()} repeat_count |`)
    .replace(CHOICES, () => `${rows.join('\n')}\n${CHOICES}`);
}

function columnsOf(form: string): string[] {
  const heading = form.split('\n').find((line) => line.startsWith('| | type |'));
  if (heading === undefined) throw new Error('the questionnaire has no questions');
  return heading
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}
