/**
 * What the pages ask of the worker, and what it answers. Everything that decides (skip logic, constraints, merging,
 * what is sent) is the core's, `web/phone-core`; the worker adds storage, keys and the network.
 */

/** The address of an answer: a question's key, within an instance of a repeat or at the top of the form. */
export interface Path {
  instance: string | null;
  question: string;
}

/** An answer. Choices of a `select_multiple` are a list of names; dates and points are texts as in ODK XForms. */
export type Value = number | string | string[];

/** How far a household is. */
export type HouseholdStatus =
  /** Nobody was there yet, as far as this phone knows. */
  | 'not_started'
  /** The last visit found nobody to answer: to be visited again. */
  | 'call_back'
  /** Begun, not complete. */
  | 'draft'
  /** Complete; not all of it has reached the server. */
  | 'finished'
  /** Complete, and the server has all of it. */
  | 'sent'
  /** Closed without an interview: refused, moved, demolished, no household. */
  | 'closed'
  /** A person must look: answers differ, or the server did not take something. */
  | 'attention';

/** A household in the list. */
export interface Household {
  unit: string;
  hamlet: string;
  address: string;
  /** The name of the household's head or of who answered, once known. */
  person: string | null;
  status: HouseholdStatus;
  /** The outcome of the last visit, as the form words it. */
  outcome: string | null;
  /** Whether something of it waits to be sent. */
  unsent: boolean;
  /** Whether this phone carries something of it for somebody else. */
  carried: boolean;
  /** Questions to which people gave different answers. */
  conflicts: number;
  /** Why the server did not take a change, in the language of the pages. */
  refused: string | null;
  /** When to call again, in milliseconds since 1970-01-01T00:00:00Z. */
  callBackAt: number | null;
  /** When the last visit ended, by the clock of the phone that made it. */
  visitedAt: number | null;
  visits: number;
  /** Latitude and longitude, once known. */
  location: [number, number] | null;
  /** Whether it was not on the list and a volunteer added it in the field. */
  added: boolean;
  /** Who is to do it, by name; whoever comes where nobody is named. */
  assignee: string | null;
  /** Whether it is this phone's to do. */
  mine: boolean;
  /** What the team's leader or an official found of its interview as it is now. */
  review: HouseholdReview | null;
}

/** Characters of the address of an added household at most. */
export const ADDRESS_CHARACTERS = 200;

/** A choice of a select, as it is offered now. */
export interface Choice {
  name: string;
  label: string;
}

/** Something wrong with an answer. */
export interface AnswerProblem {
  path: Path;
  severity: 'warning' | 'error';
  message: string;
}

/** One side of a conflict. */
export interface Claim {
  value: Value | null;
  /** The value as people read it. */
  shown: string;
  /** Who wrote it: a name, or the beginning of the device's identity. */
  author: string;
  /** Whether this phone wrote it. */
  own: boolean;
  /** When, by that phone's clock, in milliseconds since 1970-01-01T00:00:00Z. */
  time: number;
}

/** A question to which people gave different answers without knowing of each other. */
export interface Conflict {
  path: Path;
  label: string;
  /** The person whom it is about, inside a roster. */
  person: string | null;
  /** The winning claim first. */
  claims: Claim[];
}

/** What a question is. The names are those of XLSForm. */
export type QuestionKind =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'range'
  | 'date'
  | 'time'
  | 'date_time'
  | 'select_one'
  | 'select_multiple'
  | 'rank'
  | 'geopoint'
  | 'geotrace'
  | 'geoshape'
  | 'image'
  | 'audio'
  | 'video'
  | 'file'
  | 'barcode'
  | 'note'
  | 'acknowledge';

/** A question as it is to be shown now. */
export interface Question {
  path: Path;
  kind: QuestionKind;
  label: string;
  hint: string;
  /** Longer explanations for interviewers, hidden at first. */
  guidance: string;
  value: Value | null;
  required: boolean;
  readOnly: boolean;
  choices: Choice[];
  /** The words of the XLSForm column `appearance`. */
  appearance: string[];
  parameters: Record<string, string>;
  /** What is wrong with the answer as it is kept. */
  problem: AnswerProblem | null;
  conflict: Conflict | null;
  /** What the instance before answered, where the form allows to take it over and nobody answered here yet. */
  previous: { value: Value; shown: string } | null;
}

/** An instance of a repeat, as a card. */
export interface Instance {
  id: string;
  /** Its name: the first text answered in it, else its number. */
  title: string;
  number: number;
  answered: number;
  asked: number;
  problems: number;
  /** How many of its questions could be answered as in the instance before. */
  previous: number;
}

/** Where in the form the person is. */
export type Step =
  | {
      kind: 'page';
      /** Identifies the page while the form is open. */
      id: string;
      /** The labels of the groups around it, the outermost first. */
      headings: string[];
      /** The roster instance it stands in. */
      instance: (Instance & { repeat: string; count: number }) | null;
      questions: Question[];
    }
  | {
      kind: 'roster';
      id: string;
      headings: string[];
      repeat: string;
      parent: string | null;
      label: string;
      instances: Instance[];
      /** Whether the form itself decides how many there are. */
      counted: boolean;
    }
  | {
      /** After the last question: what is missing, and the button that ends the visit. */
      kind: 'end';
      id: string;
      problems: { step: string; label: string; person: string | null; problem: AnswerProblem }[];
    };

/** An open interview. */
export interface Interview {
  unit: string;
  address: string;
  person: string | null;
  formTitle: string;
  languages: { code: string; name: string }[];
  language: string;
  layout: Layout;
  step: Step;
  first: boolean;
  last: boolean;
  /** The sections of the form for going straight to one, with how much is done. */
  sections: { step: string; label: string; answered: number; asked: number; current: boolean }[];
  answered: number;
  asked: number;
  /** Milliseconds since the interview was opened on this visit, by the phone's clock. */
  elapsed: number;
  /** What looks odd while still in the house, such as an interview of 40 seconds. */
  hints: Hint[];
  /** How the form wants positions recorded; null where it wants none. */
  positions: PositionParameters | null;
}

/** Something that looks odd. It is in nobody's way. */
export interface Hint {
  id: string;
  text: string;
  /** The person whom it is about, inside a roster. */
  person: string | null;
  /** The step where it can be looked at. */
  step: string | null;
}

/** The parameters of the XLSForm row `audit` that are about positions; times in milliseconds. */
export interface PositionParameters {
  priority: 'high-accuracy' | 'balanced' | 'low-power' | 'no-power';
  minInterval: number;
  maxAge: number;
}

/** How much stands on one page: one question, or a whole section. */
export type Layout = 'question' | 'section';

/** Why an answer was not kept; it was not changed. */
export interface RefusedAnswer {
  path: Path;
  message: string;
}

/** What may come of a visit without an interview: a choice of the form's outcome question. */
export interface VisitOutcome {
  name: string;
  label: string;
  /** Whether to come again makes sense. */
  again: boolean;
}

/** How the phone stands with its server. */
export interface SyncState {
  phase: 'idle' | 'running' | 'waiting';
  /** Responses with something that the server does not have yet. */
  unsentResponses: number;
  unsentChanges: number;
  /** Responses of which this phone carries something that others wrote. */
  carriedResponses: number;
  /** Bundles of others that only the server can read. */
  carriedParcels: number;
  /** While running: how many answers have been sent of how many. */
  sentNow: number;
  toSendNow: number;
  /** Responses that came from others in the last exchange. */
  received: number;
  lastSuccess: number | null;
  /** Why the last attempt failed, in the language of the pages. */
  problem: Problem | null;
  /** When it tries again by itself. */
  retryAt: number | null;
  /** How far this phone's clock is ahead of the server's, in milliseconds, when that matters. */
  clockAhead: number | null;
}

/** A phone to which this one can give without network. */
export interface Colleague {
  /** The device's public key, by which `give` knows it. */
  key: string;
  name: string;
  hamlets: string[];
}

/** What came of what a colleague gave. */
export interface Taken {
  /** Who gave it, where that is known. */
  from: string | null;
  /** Responses in which something new is to be seen. */
  responses: number;
  /** Changes that were not here before, and those that were. */
  changes: number;
  known: number;
  /** Changes of people whom this phone does not know yet: the server shows them later. */
  aside: number;
  /** Bundles that only the server can read. */
  parcels: number;
  /** Why a part could not be read. */
  failure: string | null;
}

/** What the phone is before anything else: told without the core, and without unlocking. */
export interface Status {
  /** Whether everything that the app needs is on the phone. */
  offlineReady: boolean;
  /** Bytes that the installation took over the network, as far as known. */
  installBytes: number | null;
  /** Whether the browser promised not to throw the data away. */
  persisted: boolean;
  quota: { usage: number; limit: number } | null;
  enrolled: boolean;
  /** Whether a PIN has been set; without one there is nothing to unlock. */
  pinSet: boolean;
  /** Whether the PIN must be entered. */
  locked: boolean;
  /** Wrong PINs in a row. */
  wrongPins: number;
  /** Until when no further PIN is taken, in milliseconds since 1970-01-01T00:00:00Z. */
  pinPauseUntil: number | null;
  /** Records that could not be read, by name; the rest works. */
  damaged: string[];
  /** Whether a newer version waits for the open interview to end. */
  updateWaiting: boolean;
  /** Another tab holds the data. */
  heldElsewhere: boolean;
}

/** Who uses the phone, for what. */
export interface Assignment {
  volunteer: string;
  round: string;
  roundName: string;
  open: boolean;
  simulated: boolean;
  hamlets: { code: string; name: string; commune: string }[];
  formTitle: string;
  formVersion: string;
  /** Whether the server has taken this phone's rights away. */
  revoked: boolean;
  /** Whether this phone's user leads the team of its hamlets. */
  leader: boolean;
  /** The unit of the interview that was open when the app was closed. */
  openInterview: string | null;
  /** Whether the form asks for positions during interviews. */
  asksPositions: boolean;
  /** Whether the user agreed to that; null before anybody asked. */
  positionConsent: boolean | null;
}

/** Whom an invitation is for. */
export interface Invited {
  /** The free names of a team; null where the invitation is for one phone, which has its name already. */
  names: string[] | null;
}

/** How an interview stands; the words are those of ODK Central. */
export type ReviewState = 'received' | 'has_issues' | 'approved' | 'rejected';

/** What was found of an interview. */
export interface HouseholdReview {
  state: ReviewState;
  reason: string;
  /** The name of the leader who decided, where that is known. */
  by: string | null;
  /** Whether it was decided here and the server does not have it yet. */
  unsent: boolean;
}

/** How far the work is in a hamlet, as far as it has reached this phone. */
export interface HamletProgress {
  code: string;
  name: string;
  commune: string;
  households: number;
  /** Households that need no further visit, those closed without an interview among them. */
  done: number;
  closed: number;
  callBacks: number;
  /** Call-backs whose time has come. */
  due: number;
  approved: number;
  sentBack: number;
  rejected: number;
}

/** Somebody of the team, and what they did as far as it has reached this phone. */
export interface TeamMember {
  actor: string;
  name: string;
  own: boolean;
  leader: boolean;
  /** The codes of the hamlets in which they may work now. */
  hamlets: string[];
  /** Households that are theirs to do, and of these those that need a visit. */
  assigned: number;
  left: number;
  done: number;
  visits: number;
  failed: number;
  /** Of theirs, the call-backs whose time has come. */
  due: number;
  /** When their last visit ended, by their phone's clock. */
  lastHeard: number | null;
  /** What is unusual about their visits, in words. */
  flag: string | null;
}

/** Something unusual about an interview. */
export interface InterviewFlag {
  kind: 'quick' | 'far_away' | 'conflicts' | 'refused' | 'same_person';
  text: string;
}

/** An interview as a leader looks at it. */
export interface TeamInterview {
  unit: string;
  hamlet: string;
  address: string;
  person: string | null;
  complete: boolean;
  /** Who held it last, by name. */
  interviewer: string | null;
  visitedAt: number | null;
  review: HouseholdReview | null;
  flags: InterviewFlag[];
}

/** A leader's decisions that the server does not have, and those that it did not take. */
export interface DecisionQueue {
  waiting: number;
  refused: { id: string; unit: string; address: string; detail: string }[];
}

/** What a team's leader sees. */
export interface Team {
  hamlets: HamletProgress[];
  people: TeamMember[];
  interviews: TeamInterview[];
  queue: DecisionQueue;
}

/** What a leader decides about households: who is to do them (null: whoever comes), or how an interview was found. */
export type TeamDecision =
  { assign: { actor: string | null } } | { review: { state: ReviewState; reason: string } };

/** A household's visits and answers, to read. */
export interface AnswerList {
  unit: string;
  address: string;
  person: string | null;
  visits: {
    author: string;
    startedAt: number;
    endedAt: number;
    outcome: string;
    interview: boolean;
  }[];
  sections: {
    heading: string;
    /** Whom it is about, inside a roster. */
    person: string | null;
    answers: {
      label: string;
      shown: string | null;
      /** What others answered, where that differs. */
      others: { author: string; shown: string }[];
    }[];
  }[];
}

/** A problem, for people: RFC 9457's members as far as they matter here. */
export interface Problem {
  type: string;
  title: string;
  detail: string;
}

/** Every request by name: what it takes and what it gives. */
export interface Requests {
  // Of the worker itself.
  status: [undefined, Status];
  /** Sets the first PIN, and opens the storage. */
  create_pin: [{ pin: string }, Status];
  unlock: [{ pin: string }, Status];
  lock: [undefined, Status];
  /** Takes the data over from another tab. */
  take_over: [undefined, Status];
  /** Whom an invitation is for. */
  invitation: [{ code: string }, Invited];
  /** Enrols; by a team's invitation with one of its free names. */
  enrol: [{ code: string; name?: string }, Assignment];
  sync: [undefined, SyncState];
  sync_state: [undefined, SyncState];
  /** Everything unsent as a sealed bundle, for a file or a share. */
  bundle: [undefined, { name: string; bytes: Uint8Array; responses: number }];
  /** The same as texts for QR codes, numbered from `first`. */
  frames: [{ first: number; count: number }, { texts: string[]; needed: number }];

  colleagues: [undefined, Colleague[]];
  /** What a colleague's phone may lack, sealed to it; without a name sealed to the server. */
  give: [{ to: string | null }, { name: string; bytes: Uint8Array; responses: number }];
  give_frames: [
    { to: string | null; first: number; count: number },
    { texts: string[]; needed: number },
  ];
  receive: [{ bytes: Uint8Array }, Taken];
  /** Forgets the codes that were scanned. */
  begin_frames: [undefined, null];
  /** Takes the text of a code; null where it is of something else. */
  receive_frame: [
    { text: string },
    { received: number | null; needed: number | null; taken: Taken | null },
  ];

  // Of the core.
  assignment: [undefined, Assignment];
  set_language: [{ language: 'vi' | 'en' }, null];
  rename_volunteer: [{ name: string }, Assignment];
  households: [undefined, Household[]];
  outcomes: [undefined, VisitOutcome[]];
  /** A visit without an interview. */
  failed_visit: [
    {
      unit: string;
      outcome: string;
      callBackAt: number | null;
      /** Where the phone was: latitude, longitude, accuracy in metres. */
      position: [number, number, number] | null;
    },
    Household[],
  ];
  conflicts: [{ unit: string }, Conflict[]];
  settle: [{ unit: string; path: Path; value: Value | null }, Conflict[]];

  /** Adds a household that is not on the list; `unit` is the new one's code. */
  add_household: [{ hamlet: string; address: string }, { unit: string; households: Household[] }];
  /** Says better where an added household is to be found. */
  correct_address: [{ unit: string; address: string }, Household[]];

  open_interview: [{ unit: string }, Interview];
  interview: [undefined, Interview];
  answer: [
    { path: Path; value: Value | null },
    { interview: Interview; refused: RefusedAnswer | null },
  ];
  add_instance: [{ repeat: string; parent: string | null }, Interview];
  remove_instance: [{ repeat: string; instance: string }, Interview];
  /** Keeps a picture, recording or file on the phone and answers its question with the file's name. */
  keep_attachment: [
    { path: Path; name: string; type: string; bytes: Uint8Array },
    { interview: Interview; refused: RefusedAnswer | null },
  ];
  /** A file that was kept, by the name that is the answer; null when it is not on this phone. */
  attachment: [{ name: string }, { type: string; bytes: Uint8Array } | null];
  next: [undefined, Interview];
  back: [undefined, Interview];
  /** Goes to a step by its `id`; sections and missing answers name steps by the same ids. */
  go_to: [{ step: string }, Interview];
  /** Opens the first page of a roster instance. */
  enter: [{ repeat: string; instance: string }, Interview];
  set_form_language: [{ language: string }, Interview];
  set_layout: [{ layout: Layout }, Interview];
  /** Ends the visit: what was answered becomes one signed change. */
  leave_interview: [undefined, Household[]];

  /** Answers everything open in a roster instance that may be answered as in the one before. */
  answer_as_previous: [{ instance: string }, Interview];

  /** Whether positions may be recorded during interviews. */
  consent_to_positions: [{ agreed: boolean }, Assignment];
  /** Where the phone is during the open interview: latitude, longitude, accuracy in metres; null where the browser does not say. */
  locate: [{ position: [number, number, number] | null }, null];

  // Of a team's leader.
  team: [undefined, Team];
  decide: [{ units: string[]; decision: TeamDecision }, Team];
  decisions: [undefined, DecisionQueue];
  /** Somebody has read that a decision was refused. */
  dismiss_decision: [{ id: string }, DecisionQueue];
  answers: [{ unit: string }, AnswerList];
}

export type RequestName = keyof Requests;

/** What the worker tells by itself. */
export type CoreEvent =
  | { kind: 'sync'; state: SyncState }
  /** Something that the list shows has changed, for example by what others wrote. */
  | { kind: 'households' }
  | { kind: 'status'; status: Status };

/** The worker as pages use it. */
export interface Core {
  ask<N extends RequestName>(
    name: N,
    ...argument: Requests[N][0] extends undefined ? [] : [Requests[N][0]]
  ): Promise<Requests[N][1]>;
  listen(listener: (event: CoreEvent) => void): () => void;
}

/** A request that was refused; nothing was changed. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}
