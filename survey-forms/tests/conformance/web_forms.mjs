// Opens XForms with the engine of ODK Web Forms and records which it opens, in the form of tests/forms/web-forms.csv.
//
//   KHAOSAT_XFORMS=<folder> cargo test -p survey-forms --test conformance     writes an XForm a file into the folder
//   npm install jsdom@26 bin-packer@1.7.0 mdast-util-from-markdown@2 papaparse@5 solid-js@1 temporal-polyfill@0.3
//   npm pack @getodk/xforms-engine@0.22.0                                     its own dependencies cannot be installed
//   node web_forms.mjs <folder> <unpacked package>/dist/index.js > ../forms/web-forms.csv
//
// Run it where those packages can be found. The engine wants a browser's document, which jsdom gives, and takes Node for
// a CommonJS one.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, enginePath] = process.argv.slice(2);
const require = createRequire(path.join(process.cwd(), 'package.json'));
const { JSDOM } = require('jsdom');

const browser = new JSDOM('<!doctype html>', { url: 'http://localhost/' }).window;
const NAMES = [
  'document', 'DOMParser', 'XMLSerializer', 'Node', 'Element', 'Document', 'XMLDocument', 'Text', 'Attr', 'NodeFilter',
  'HTMLElement', 'Comment', 'CDATASection', 'ProcessingInstruction', 'NamedNodeMap', 'DocumentFragment', 'CharacterData',
];
for (const name of NAMES) globalThis[name] = browser[name];
globalThis.window = browser;
globalThis.require = require;
globalThis.__dirname = process.cwd();
const { loadForm } = await import(pathToFileURL(enginePath));

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

/** What the engine says against an XForm; nothing where it opens it. */
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

console.log('form,sha256,objection');
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.xml')).sort()) {
  const xform = fs.readFileSync(path.join(folder, file), 'utf8');
  const digest = createHash('sha256').update(xform).digest('hex');
  const says = (await objection(xform)).replace(/\s+/g, ' ').trim().replaceAll('"', "'");
  console.log(`${path.basename(file, '.xml')},${digest},${says && `"${says}"`}`);
}
process.exit(0);
