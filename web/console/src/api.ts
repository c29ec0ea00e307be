/**
 * The server's console interface: the shapes of `GET /api/v1/overview` and the one function that
 * fetches it. Shares (points, bounds, interval ends, standard errors) are fractions from 0 to 1;
 * targets are percentages, as the plan writes them; times are RFC 3339 in UTC.
 */

/** The languages of the interface. */
export type Language = 'vi' | 'en';

/** A text in both languages of the interface. */
export type Bilingual = Record<Language, string>;

/** A survey campaign. */
export interface Round {
  id: string;
  name: Bilingual;
  /** True when the answers were generated: the console then says so at all times. */
  simulated: boolean;
  /** The day the answers speak of, `YYYY-MM-DD`. */
  reference_date: string;
}

/** One admin unit. `kind` is the official Vietnamese type («huyện», «phường»), data and not text of ours. */
export interface AdminUnit {
  code: string;
  name: string;
  kind: string;
  level: string;
}

/** How far field work has come in one admin unit. Counts; `expected`, `received`, `responded` are households. */
export interface Coverage {
  frame_hamlets: number;
  sampled_hamlets: number;
  responding_hamlets: number;
  frame_households: number;
  expected: number;
  received: number;
  responded: number;
  open_conflicts: number;
  responses_with_conflicts: number;
}

/** When the server last heard from the field. */
export interface Freshness {
  last_received_at: string | null;
  sequence: number;
  devices_enrolled: number;
  devices_heard_24_hours: number;
}

/** How an interval was made. */
export type IntervalMethod = 'logit' | 'clopper_pearson' | 'student_t' | 'census';

/** A confidence interval of a share; `level` is the confidence level as a fraction. */
export interface Interval {
  lower: number;
  upper: number;
  level: number;
  method: IntervalMethod;
}

/** The smallest and largest share that settling the open conflicts could still give. */
export interface Bounds {
  lower: number;
  upper: number;
}

/** The plan's target: the share must be at least (`>=`) or above (`>`) `percent` in `year`. */
export interface Target {
  operator: '>=' | '>';
  percent: number;
  year: number;
}

/** Why a figure, or a part of it, cannot be computed. */
export type Absence =
  | 'no_responses'
  | 'no_denominator'
  | 'single_psu'
  | 'single_household'
  | 'lonely_psu'
  | 'no_degrees_of_freedom'
  | 'no_variation'
  | 'nothing_to_compare';

/**
 * A survey estimate with its precision. `reason` names why the precision is missing, if it is;
 * `bounds` are null where no way to settle the conflicts leaves a denominator.
 */
export interface Estimate {
  point: number;
  standard_error: number | null;
  interval: Interval | null;
  bounds: Bounds | null;
  bounds_exact: boolean;
  design_effect: number | null;
  degrees_of_freedom: number;
  households: number;
  denominator_count: number;
  reason: Absence | null;
}

/** The publication rule that keeps an estimate back: `households` is too few against `minimum`. */
export interface Withheld {
  rule: string;
  minimum: number;
  households: number;
}

/** Whether the target is met beyond the uncertainty, missed beyond it, or neither. */
export type Decision = 'met' | 'missed' | 'undecided';

/**
 * One indicator of the plan with its estimate for the current admin unit. `reason` names why there is
 * no estimate of what the survey measures, where nothing withholds it; texts of `note` may be empty.
 */
export interface Indicator {
  code: string;
  group: 'society' | 'economy';
  name: Bilingual;
  unit_of_analysis: 'person' | 'household' | 'enterprise' | 'institution' | 'economy';
  numerator_vi: string;
  denominator_vi: string;
  target: Target;
  lead_agency: string;
  coordinating_agencies: string;
  source_kind:
    'household survey' | 'official statistics' | 'enterprise survey' | 'institution survey';
  note: Bilingual;
  estimate: Estimate | null;
  reason: Absence | null;
  withheld: Withheld | null;
  decision: Decision | null;
  open_conflicts: number;
}

/** A child's share of one indicator, short form. `reason` names why its point or interval is missing. */
export interface ChildEstimate {
  point: number | null;
  interval: Interval | null;
  reason: Absence | null;
  bounds: Bounds | null;
  decision: Decision | null;
  withheld: Withheld | null;
  households: number;
}

/** An admin unit directly below the current one. `indicators` holds only those with data, by code. */
export interface ChildUnit extends AdminUnit {
  has_children: boolean;
  coverage: Coverage;
  indicators: Record<string, ChildEstimate>;
}

/** Everything the first page shows of one admin unit. */
export interface Overview {
  round: Round;
  generated_at: string;
  unit: AdminUnit;
  /** Ancestors from the root down, without the unit itself. */
  path: AdminUnit[];
  coverage: Coverage;
  freshness: Freshness;
  indicators: Indicator[];
  children: ChildUnit[];
}

/** Why an overview could not be had. `detail` is the server's own sentence, in the language asked for. */
export type Problem =
  | { kind: 'refused'; status: number; title: string; detail: string }
  | { kind: 'unreachable' }
  | { kind: 'unreadable'; status: number };

/** An overview, or the reason there is none. */
export type Answer = { overview: Overview } | { problem: Problem };

/** The stream of server-sent events; its event `estimates` says that figures changed. */
export const EVENTS_ADDRESS = 'api/v1/events';

/**
 * Fetches the overview of an admin unit.
 *
 * @param unit official code, or null for the round's root
 * @param language the language wanted for the texts of problems
 * @param signal stops the request; the promise then rejects with an `AbortError`
 */
export async function fetchOverview(
  unit: string | null,
  language: Language,
  signal: AbortSignal,
): Promise<Answer> {
  const query = unit === null ? '' : `?unit=${encodeURIComponent(unit)}`;
  let response: Response;
  try {
    response = await fetch(`api/v1/overview${query}`, {
      signal,
      cache: 'no-store',
      headers: { accept: 'application/json', 'accept-language': language },
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return { problem: { kind: 'unreachable' } };
  }
  let body: unknown;
  try {
    body = await response.json();
  } catch (error) {
    if (signal.aborted) throw error;
    return { problem: { kind: 'unreadable', status: response.status } };
  }
  if (response.ok && isOverview(body)) return { overview: body };
  if (!response.ok && isProblem(body)) {
    const { title, detail } = body;
    return { problem: { kind: 'refused', status: response.status, title, detail } };
  }
  return { problem: { kind: 'unreadable', status: response.status } };
}

// The server and the console are released together, so the outer shape is enough to tell its
// answers from those of a proxy or captive portal in between.
function isOverview(body: unknown): body is Overview {
  return (
    isRecord(body) &&
    isRecord(body['round']) &&
    isRecord(body['unit']) &&
    isRecord(body['coverage']) &&
    isRecord(body['freshness']) &&
    Array.isArray(body['path']) &&
    Array.isArray(body['indicators']) &&
    Array.isArray(body['children'])
  );
}

function isProblem(body: unknown): body is { title: string; detail: string } {
  return isRecord(body) && typeof body['title'] === 'string' && typeof body['detail'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
