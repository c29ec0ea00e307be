// Opens XForms with the engine of ODK Web Forms and tells what it has against them.
//
// Reads from standard input a JSON object of XForms by name; writes a JSON object with, by name, what the engine says
// against each: an empty text where it opens it. KHAOSAT_WEB_FORMS names the folder of the packages
// (survey-forms/tests/oracles/web-forms). The engine wants a browser's document, which jsdom gives.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const packages = createRequire(pathToFileURL(`${process.env.KHAOSAT_WEB_FORMS}/package.json`));
const { JSDOM } = packages('jsdom');
const { window } = new JSDOM('<!doctype html>', { url: 'http://localhost/' });
for (const name of Object.getOwnPropertyNames(window)) {
  const value = window[name];
  const isInterface = typeof value === 'function' && /^[A-Z]/.test(name);
  if (isInterface && !(name in globalThis)) globalThis[name] = value;
}
Object.assign(globalThis, { window, document: window.document, __dirname: '.', require: packages });
console.warn = console.log = console.info = console.error = () => {};

const { loadForm } = await import(pathToFileURL(packages.resolve('@getodk/xforms-engine')));

// Every attached file has one row that every form can look up.
const attachment = {
  csv: ['text/csv', 'name,label\na,A\n'],
  xml: ['text/xml', '<root><item><name>a</name><label>A</label></item></root>'],
  geojson: [
    'application/geo+json',
    '{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":{"title":"A"},'
      + '"geometry":{"type":"Point","coordinates":[106.36,10.35]}}]}',
  ],
};
const fetchFormAttachment = async (url) => {
  const [type, body] = attachment[String(url).split('.').pop()] ?? attachment.csv;
  return new Response(body, { headers: { 'content-type': type } });
};

async function objection(xform) {
  try {
    const loaded = await loadForm(xform, { fetchFormAttachment });
    if (loaded.status === 'failure') return String(loaded.error.message);
    loaded.createInstance();
    return '';
  } catch (error) {
    return String(error.message);
  }
}

const xforms = JSON.parse(readFileSync(0, 'utf8'));
const said = {};
for (const [name, xform] of Object.entries(xforms)) {
  said[name] = (await objection(xform)).replace(/\s+/g, ' ').trim();
}
process.stdout.write(JSON.stringify(said), () => process.exit(0));
