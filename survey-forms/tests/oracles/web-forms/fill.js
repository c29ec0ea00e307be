// Fills forms in ODK Web Forms' engine by script and tells the state after every step.
//
// Reads from standard input a JSON list of { xform, steps }; a step is { answer, value }, { add } or { remove }, each
// naming a node by its reference such as /data/members[2]/age. Writes a JSON list with, for each form, the list of its
// states: before the first step and after each. A state maps a reference to what the engine says of the question.
// With { timed } beside the steps, only so many of the last steps are told: how many microseconds each took.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';

// The packages are where KHAOSAT_WEB_FORMS says, which need not be beside this file.
const packages = createRequire(pathToFileURL(`${process.env.KHAOSAT_WEB_FORMS}/package.json`));

const { JSDOM } = packages('jsdom');
const { window } = new JSDOM('<!doctype html>', { url: 'http://localhost/' });
for (const name of Object.getOwnPropertyNames(window)) {
  const value = window[name];
  const isInterface = typeof value === 'function' && /^[A-Z]/.test(name);
  if (isInterface && !(name in globalThis)) globalThis[name] = value;
}
Object.assign(globalThis, { window, document: window.document, __dirname: '.', require: packages });
// The engine reports what it leaves out on the console, which is no part of the answer.
console.warn = console.log = console.info = () => {};

const entry = packages.resolve('@getodk/xforms-engine');
const { createInstance } = await import(pathToFileURL(entry));

function* nodes(node) {
  yield node;
  for (const child of node.currentState.children ?? []) yield* nodes(child);
}

const isOpenRepeat = (node) => node.nodeType === 'repeat-range:uncontrolled';

// The engine opens a form with one instance in each repeat; the script starts from none.
function empty(top) {
  for (const node of top.currentState.children ?? []) {
    const count = node.currentState.children?.length;
    if (!isOpenRepeat(node)) empty(node);
    else if (count > 0) node.removeInstances(0, count);
  }
}

function find(root, reference, wanted) {
  for (const node of nodes(root)) {
    if (node.currentState.reference === reference && wanted(node)) return node;
  }
  throw new Error(`the form has no ${reference}`);
}

function answer(node, value) {
  if (node.nodeType === 'select') {
    node.selectValues(value === '' ? [] : value.split(' '));
  } else if (node.nodeType === 'trigger') {
    node.setValue(value === 'OK');
  } else {
    node.setValue(value);
  }
}

function take(root, step) {
  if (step.add !== undefined) {
    const range = find(root, step.add, isOpenRepeat);
    range.addInstances();
    empty(range.currentState.children.at(-1));
  } else if (step.remove !== undefined) {
    const instance = find(root, step.remove, (node) => node.nodeType === 'repeat-instance');
    const range = instance.parent;
    range.removeInstances(range.currentState.children.indexOf(instance), 1);
  } else {
    answer(find(root, step.answer, (node) => node.currentState.children === null), step.value);
  }
}

function text(xml) {
  const escapes = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' };
  return xml.replace(/^<[^>]*>|<[^>]*>$/g, '').replace(/&\w+;/g, (escape) => escapes[escape] ?? escape);
}

function state(root) {
  const seen = {};
  for (const node of nodes(root)) {
    const { reference, relevant, required, readonly, children, valueOptions } = node.currentState;
    if (children !== null) continue;
    const { constraint } = node.validationState ?? {};
    seen[reference] = {
      relevant,
      required,
      readonly,
      value: text(node.instanceState.instanceXML),
      constraint: constraint?.valid ?? true,
      choices: valueOptions?.map((option) => option.value) ?? null,
    };
  }
  return seen;
}

function measure(root, step) {
  const node = find(root, step.answer, (node) => node.currentState.children === null);
  const start = process.hrtime.bigint();
  answer(node, step.value);
  return Number(process.hrtime.bigint() - start) / 1000;
}

async function fill({ xform, steps, timed }) {
  const { root } = await createInstance(xform, {
    form: { fetchFormAttachment: async () => new Response('', { status: 404 }), missingResourceBehavior: 'BLANK' },
    instance: {},
  });
  empty(root);
  if (timed !== undefined) {
    for (const step of steps.slice(0, -timed)) take(root, step);
    return steps.slice(-timed).map((step) => measure(root, step));
  }
  const states = [state(root)];
  for (const step of steps) {
    take(root, step);
    states.push(state(root));
  }
  return states;
}

const answers = [];
for (const form of JSON.parse(readFileSync(0, 'utf8'))) answers.push(await fill(form));
process.stdout.write(JSON.stringify(answers));
