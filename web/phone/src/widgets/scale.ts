/** The scale of a range question (XLSForm reference, "range"): from `start` (1) to `end` (10) by `step` (1). */

/** A scale with its direction. */
export interface Scale {
  start: number;
  end: number;
  step: number;
  /** Decimals that a step needs. */
  digits: number;
}

/** The scale that a question's parameters name. */
export function scaleOf(parameters: Record<string, string>): Scale {
  const number = (name: string, otherwise: number): number => {
    const written = Number(parameters[name] ?? '');
    return parameters[name] === undefined || Number.isNaN(written) ? otherwise : written;
  };
  const step = Math.abs(number('step', 1)) || 1;
  const start = number('start', 1);
  const digits = Math.max(decimalsOf(step), decimalsOf(start));
  return { start, end: number('end', 10), step, digits };
}

/** How many steps the scale has. */
export function stepsOf(scale: Scale): number {
  return Math.floor(Math.abs(scale.end - scale.start) / scale.step + 1e-9);
}

/** The number at a step, counted from the start. */
export function numberAt(scale: Scale, steps: number): number {
  const within = Math.min(Math.max(steps, 0), stepsOf(scale));
  const number = scale.start + Math.sign(scale.end - scale.start) * within * scale.step;
  return Number(number.toFixed(scale.digits));
}

/** The step at which a number stands. */
export function stepAt(scale: Scale, number: number): number {
  return Math.round(Math.abs(number - scale.start) / scale.step);
}

function decimalsOf(number: number): number {
  return String(number).split('.')[1]?.length ?? 0;
}
