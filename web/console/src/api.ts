/**
 * The server's console interface: the shapes of `GET /api/v1/overview` and `GET /api/v1/indicator`, and
 * what fetches them. Shares (points, bounds, interval ends, standard errors) are fractions from 0 to 1;
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
  /** Pairs of responses that may be about one household and are not settled. */
  suspected_duplicates: number;
  /** Households that were not on the list, were added in the field, and count: the figures above have them. */
  added: number;
  /** Households that were added in the field and that no figure above and no estimate has. */
  added_uncounted: number;
}

/** When the server last heard from the field. */
export interface Freshness {
  last_received_at: string | null;
  sequence: number;
  devices_enrolled: number;
  devices_heard_24_hours: number;
}

/** How an interval was made. */
export type IntervalMethod =
  'logit' | 'clopper_pearson' | 'wilson' | 'student_t' | 'normal' | 'census';

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

/** How many more interviews would decide about a target; `all` where no sample could. */
export type MoreInterviews =
  { outcome: 'none' | 'unknown' } | { outcome: 'some' | 'all'; households: number };

/** A yearly figure that an agency supplied. `difference` is the survey's estimate less it, in percentage points. */
export interface OfficialFigure {
  year: number;
  source: string;
  /** The sector that it is about; empty where it is about everything. */
  part: string;
  percent: number;
  note: string;
  decision: Decision;
  difference: number | null;
}

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
  more_interviews: MoreInterviews | null;
  official: OfficialFigure[];
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

/** Where and when: what every page about an admin unit begins with. */
export interface Page {
  round: Round;
  generated_at: string;
  unit: AdminUnit;
  /** Ancestors from the root down, without the unit itself. */
  path: AdminUnit[];
  coverage: Coverage;
  freshness: Freshness;
}

/** Everything the first page shows of one admin unit. */
export interface Overview extends Page {
  indicators: Indicator[];
  children: ChildUnit[];
}

/**
 * What an estimate was `days` ago, by what had come then: `point` is null where there was none, or where
 * it may not be shown. `difference` is the estimate now less that, a share.
 */
export interface Movement {
  at: string;
  days: number;
  households: number;
  point: number | null;
  difference: number | null;
}

/** What a model of the communes knows of each. */
export type Covariate = 'urban_share' | 'households';

/** A model of the communes; `between_communes` is a standard deviation on the scale of shares. */
export interface Model {
  communes_with_interviews: number;
  communes: number;
  covariates: Covariate[];
  between_communes: number;
  explained: number | null;
  design_effect: number;
}

/** The model's figure for a commune, with the interval between `lower` and `upper`. */
export interface Modelled {
  point: number;
  root_mean_squared_error: number;
  lower: number;
  upper: number;
  level: number;
  source: 'combined' | 'synthetic';
  direct_weight: number;
}

/** A unit below with the survey's figure and the model's. */
export interface ChildFigures extends AdminUnit {
  has_children: boolean;
  coverage: Coverage;
  direct: ChildEstimate | null;
  modelled: Modelled | null;
}

/**
 * What is open in one hamlet; `largest_move` is how far one matter can move the estimate, a share, or null
 * where it could leave none.
 */
export interface OpenHamlet {
  unit: AdminUnit;
  commune: AdminUnit;
  matters: number;
  largest_move: number | null;
}

/**
 * What is open about an estimate, each conflicted response and each group of suspected duplicates being one
 * matter. `decision_as_counted` is what the estimate says without looking at them; `settle_first` is how many
 * of the weightiest must be settled as they are counted now until the others can change nothing.
 */
export interface OpenMatters {
  matters: number;
  decision_as_counted: Decision;
  settle_first: number | null;
  hamlets: OpenHamlet[];
}

/** Everything about one indicator in one admin unit. */
export interface IndicatorPage extends Page {
  indicator: Indicator;
  movements: Movement[];
  open: OpenMatters | null;
  model: Model | null;
  not_modelled: 'no_estimate' | 'too_few_communes' | null;
  modelled: Modelled | null;
  children: ChildFigures[];
}

/** What a page shows. */
export type Shown =
  { kind: 'overview'; page: Overview } | { kind: 'indicator'; page: IndicatorPage };

/** Why a page could not be had. `detail` is the server's own sentence, in the language asked for. */
export type Problem =
  | { kind: 'refused'; status: number; title: string; detail: string }
  | { kind: 'unreachable' }
  | { kind: 'unreadable'; status: number };

/** What a page shows, or the reason there is nothing. */
export type Answer = { shown: Shown } | { problem: Problem };

/** The stream of server-sent events; its event `estimates` says that figures changed. */
export const EVENTS_ADDRESS = 'api/v1/events';

/**
 * Fetches the overview of an admin unit, or one of its indicators.
 *
 * @param unit official code, or null for the round's root
 * @param indicator the plan's code, or null for the overview
 * @param language the language wanted for the texts of problems
 * @param signal stops the request; the promise then rejects with an `AbortError`
 */
export async function fetchPage(
  unit: string | null,
  indicator: string | null,
  language: Language,
  signal: AbortSignal,
): Promise<Answer> {
  const parameters = new URLSearchParams();
  if (unit !== null) parameters.set('unit', unit);
  if (indicator !== null) parameters.set('code', indicator);
  const query = parameters.size === 0 ? '' : `?${parameters}`;
  let response: Response;
  try {
    response = await fetch(`api/v1/${indicator === null ? 'overview' : 'indicator'}${query}`, {
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
  if (response.ok && indicator === null && isOverview(body)) {
    return { shown: { kind: 'overview', page: body } };
  }
  if (response.ok && indicator !== null && isIndicatorPage(body)) {
    return { shown: { kind: 'indicator', page: body } };
  }
  if (!response.ok && isProblem(body)) {
    const { title, detail } = body;
    return { problem: { kind: 'refused', status: response.status, title, detail } };
  }
  return { problem: { kind: 'unreadable', status: response.status } };
}

// The server and the console are released together, so the outer shape is enough to tell its
// answers from those of a proxy or captive portal in between.
function isPage(body: unknown): body is Page & Record<string, unknown> {
  return (
    isRecord(body) &&
    isRecord(body['round']) &&
    isRecord(body['unit']) &&
    isRecord(body['coverage']) &&
    isRecord(body['freshness']) &&
    Array.isArray(body['path']) &&
    Array.isArray(body['children'])
  );
}

function isOverview(body: unknown): body is Overview {
  return isPage(body) && Array.isArray(body['indicators']);
}

function isIndicatorPage(body: unknown): body is IndicatorPage {
  return isPage(body) && isRecord(body['indicator']) && Array.isArray(body['movements']);
}

function isProblem(body: unknown): body is { title: string; detail: string } {
  return isRecord(body) && typeof body['title'] === 'string' && typeof body['detail'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
