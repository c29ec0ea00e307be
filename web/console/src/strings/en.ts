import type { Strings } from './vi.ts';

const plural = (count: string, one: string, many: string): string =>
  `${count} ${count === '1' ? one : many}`;

/** The interface in English. */
export const en: Strings = {
  product: 'Khảo Sát',
  page: 'Indicator overview',
  skip: 'Skip to the indicators',
  switchLanguage: 'Tiếng Việt',
  simulated: 'Simulated data',
  simulatedNote: 'not the result of a real survey',
  referenceDate: (day) => `as of ${day}`,
  loading: 'Loading figures…',

  trail: 'Path of units',
  childUnits: 'Units within',
  unitNotSampled: 'no household in the sample',
  unitsNotSampled: (count) => `${plural(count, 'unit', 'units')} outside the sample`,
  unitWithoutData: 'no data yet',
  responsesOf: (received, expected) => `${received} / ${expected} responses`,
  conflicts: (count) => plural(count, 'conflict', 'conflicts'),

  summary: 'Summary',
  surveyIndicators: 'Survey indicators',
  measuredOf: (measured, all) => `${measured} / ${all} indicators have survey data`,
  coverage: 'Coverage',
  added: (households) =>
    `${plural(households, 'household', 'households')} added that were not listed, among these`,
  addedUncounted: (households) =>
    `${plural(households, 'household', 'households')} added in sampled hamlets: kept, but in no estimate`,
  responsesReceived: (received, expected) => `${received} / ${expected} responses received`,
  responseRate: (share, responded) =>
    `Response rate ${share} (${plural(responded, 'household', 'households')} responded)`,
  responseRateNone: 'Response rate: no responses yet',
  hamlets: (responding, sampled, frame) =>
    `${responding} / ${sampled} sampled hamlets and ward quarters heard from (${frame} in all)`,
  openConflicts: 'Conflicts',
  conflictsUnsettled: 'not settled',
  conflictsIn: (responses) => `in ${plural(responses, 'response', 'responses')}`,
  conflictsNone: 'None left to settle',
  freshness: 'Updated',
  receivedAt: (moment) => `Latest response ${moment}`,
  nothingReceived: 'No response received yet',
  devices: (heard, enrolled) => `${heard} / ${enrolled} devices heard from in 24 hours`,
  live: { connected: 'Online', connecting: 'Connecting…', disconnected: 'Disconnected' },
  liveNote: {
    connected: 'figures update by themselves',
    connecting: 'reaching the server',
    disconnected: 'figures may be old, trying again',
  },

  indicators: 'Indicators',
  group: { society: 'Digital society', economy: 'Digital economy' },
  showAs: 'Show as',
  chart: 'Chart',
  table: 'Table',
  legend: 'Legend',
  point: 'Estimate',
  pointOf: (share) => `Estimate ${share}`,
  interval: 'Confidence interval',
  intervalAt: (level) => `${level} confidence interval`,
  intervalOf: (level, range) => `${level} confidence interval ${range}`,
  intervalMissing: 'no confidence interval',
  intervalMissingBecause: (reason) => `no confidence interval, because ${reason}`,
  bounds: 'Left open by conflicts',
  boundsOf: (range) => `conflicts leave ${range} open`,
  target: 'Target',
  targetOf: (target) => `target ${target}`,
  targetYear: (target, year) => `${target} in ${year}`,
  decision: { met: 'Met', missed: 'Not met', undecided: 'Undecided' },
  decisionColumn: 'Decision',
  plotAxis: 'Shared axis from 0 to 100%',
  withheld: {
    title: 'Not published',
    households: (households, minimum) =>
      `only ${plural(households, 'household', 'households')} responded, at least ${minimum} needed`,
    rule: (rule) => `by the publication rule “${rule}”`,
  },
  notComputed: 'Not computed',
  absence: {
    no_responses: 'no household has responded',
    no_denominator: 'the households that responded have nobody and nothing in the denominator',
    single_psu:
      'only one hamlet or ward quarter has responses, so how much they differ is not known',
    single_household:
      'only one household has responded, so how much households differ is not known',
    lonely_psu:
      'a stratum has a single unit in the sample, so how much its units differ is not known',
    no_degrees_of_freedom:
      'no more hamlets have responses than there are strata, so the precision of the standard error is not known',
    no_variation:
      'all households that responded are alike, so how much the others may differ is not known',
    nothing_to_compare:
      'a simple random sample would have no variance, so there is nothing to compare with',
  },
  noSurveyData: 'No survey data yet',
  noSurveyDataNote: 'These indicators come from other sources or have no responses yet.',
  agencyNone: 'the plan assigns no agency',

  indicatorColumn: 'Indicator',
  standardError: 'Standard error (points)',
  boundsColumn: 'Left open',
  householdsColumn: 'Households',
  denominatorColumn: 'Denominator (units of analysis)',
  degreesOfFreedom: 'Degrees of freedom',
  designEffect: 'Design effect',
  conflictsColumn: 'Conflicts',
  leadAgency: 'Lead agency',
  coordinatingAgencies: 'Coordinating agencies',
  remark: 'Remark',
  tableCaption: (unit) => `All indicators of ${unit}`,
  empty: '–',

  numerator: 'Numerator',
  denominator: 'Denominator',
  sourceTitle: 'Source',
  sourceKind: {
    'household survey': 'household survey',
    'official statistics': 'official figure',
    'enterprise survey': 'enterprise survey',
    'institution survey': 'institution survey',
  },
  method: 'Method',
  methodRatio: 'weighted ratio estimate',
  methodInterval: {
    logit: (level) => `${level} confidence interval on the logit scale`,
    clopper_pearson: (level) =>
      `${level} Clopper–Pearson confidence interval with the effective number of households`,
    wilson: (level) => `${level} Wilson confidence interval with the effective number of elements`,
    student_t: (level) => `${level} confidence interval from Student's t distribution`,
    normal: (level) => `${level} confidence interval from the normal distribution`,
    census: (level) => `full enumeration, the ${level} confidence interval is the estimate itself`,
  },
  methodFreedom: (count) => plural(count, 'degree of freedom', 'degrees of freedom'),
  methodEffect: (value) => `design effect ${value}`,
  methodSample: (households) => `${plural(households, 'household', 'households')} responded`,
  analysed: {
    person: (count) => plural(count, 'person', 'people'),
    household: (count) => `${plural(count, 'household', 'households')} in the denominator`,
    enterprise: (count) => plural(count, 'enterprise', 'enterprises'),
    institution: (count) => plural(count, 'institution', 'institutions'),
    economy: (count) => plural(count, 'observation', 'observations'),
  },
  boundsInexact: 'what conflicts leave open is approximate',
  boundsMissing: 'what conflicts leave open cannot be computed',
  comparison: 'The units within, compared',
  comparisonOrder: 'Sorted by name, not ranked',
  comparisonOverlap:
    'Confidence intervals of several units overlap: differences between the points may come from sampling alone and give no ranking.',

  inDepth: 'This indicator in depth',
  toOverview: 'All indicators',
  modelledFigure: 'modelled',
  modelSource: {
    combined: 'joined with interviews of the commune',
    synthetic: 'too few interviews in the commune, model alone',
  },
  standing: 'Where it stands',
  change: 'What could change the decision',
  moreInterviewsTitle: 'More interviews',
  moreInterviews: {
    none: () =>
      'The confidence interval lies wholly on one side of the target: no more interviews are needed to decide.',
    some: (households) =>
      `About ${plural(households, 'more household', 'more households')}, drawn as those interviewed, would decide with a chance of 80% if the present estimate is right.`,
    all: (households) =>
      `The estimate is so near the target that all ${households} remaining households would have to be interviewed to decide.`,
    unknown: () =>
      'There is no confidence interval yet, so how many more interviews it takes is not known.',
  },
  openTitle: 'What is not settled',
  openNone: 'No conflict and no suspected duplicate touches this indicator.',
  openBounds: (matters, range) =>
    `${plural(matters, 'conflict or suspected duplicate is', 'conflicts and suspected duplicates are')} open; however they are settled, the estimate lies within ${range}.`,
  openSways: (decision) =>
    `By what is counted now the decision is “${decision}”; what is not settled makes it unsure.`,
  openUndecided: 'Sampling error alone already leaves the decision open.',
  openFirm: 'The decision is the same however they are settled.',
  settleFirst: (count, all) =>
    `Confirming the ${count} weightiest of ${all} is enough: the others can then no longer change the decision.`,
  hamletColumn: 'Hamlet or ward quarter',
  mattersColumn: 'Open there',
  moveColumn: 'One can move the estimate by (points)',
  openOrder: 'Where to settle first',
  movementsTitle: 'Late responses',
  movementColumn: 'When',
  movementAgo: (days) => (days === '1' ? '24 hours ago' : `${days} days ago`),
  movementNow: 'now',
  movementPoint: 'Estimate then',
  movementHouseholds: 'Households that had responded',
  movementDifference: 'Changed since (points)',
  movementHidden: 'not published',
  awaited: (households, all) =>
    `${households} / ${all} households of the sample have no response at the server yet.`,
  officialTitle: 'Official figures',
  officialCaption: 'Official figures by year and source',
  officialNone: 'No official figure of this unit is recorded for this indicator.',
  officialNote:
    'Supplied yearly by ministries and agencies until measurement is organised; never mixed with the survey.',
  yearColumn: 'Year',
  valueColumn: 'Value',
  againstTarget: 'Against the target',
  officialDifference: 'Survey less this figure (points)',
  part: (sector) => `sector: ${sector}`,
  modelTitle: 'Modelled estimates',
  model: (interviewed, all) =>
    `Area-level model of Fay and Herriot, from interviews in ${interviewed} of ${plural(all, 'commune', 'communes')} and what the frame knows of each`,
  modelCovariates: 'covariates',
  covariate: {
    urban_share: 'share of households in ward quarters',
    households: 'number of households',
  },
  modelBetween: (points) =>
    `beyond the covariates communes differ with a standard deviation of ${points} points`,
  modelExplained: (share) => `covariates explain ${share} of the differences between communes`,
  modelNote:
    'Modelled figures are not measured and decide nothing about targets; all communes together agree with the estimate of the province.',
  modelWeight: (share) => `interviews of the commune count ${share}, the model the rest`,
  notModelled: {
    no_estimate: 'There is no estimate of the whole yet, so communes cannot be modelled.',
    too_few_communes: 'Too few communes have interviews enough, so communes cannot be modelled.',
  },
  definition: 'Definition and method',

  problem: {
    title: 'The figures could not be loaded',
    unreachable: 'The server cannot be reached. Check the network and try again.',
    unreadable: (status) => `The server gave an answer of the wrong form (status ${status}).`,
    keeping: 'The figures below are from the last time they loaded.',
    retry: 'Try again',
    root: 'To the top unit',
  },
};
