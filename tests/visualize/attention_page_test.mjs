// The attention page: every view is opened, clicked, hovered and typed into, and its numbers are compared with those of
// `--json` and, where the Python of BERTHA_PYTHON has them, of torch and transformers.

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { addressed, assert, bertha, directory, hash, nextFrame, open, run, screenshot } from './browser.mjs';

const kFixtures = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures');
const kModels = join(kFixtures, 'models');
const kHostile = '</script><img src=x onerror=alert(1)>';
const kText = 'Morning rain over the [MASK].', kPair = 'a river in the night';
const kTokens = ['[CLS]', 'morning', 'rain', 'over', 'the', '[MASK]', '.', '[SEP]', 'a', 'river', 'in', 'the', 'night', '[SEP]'];

let pages = 0;
function makePage(model, ...options) {
  const path = join(directory, `page-${pages++}.html`);
  bertha('visualize', 'attention', model, '--output', path, ...options);
  return path;
}
const makePair = (model, ...options) => makePage(model, '--text', kText, '--pair', kPair, ...options);
const mlm = join(kModels, 'bert_mlm');
const pairPage = makePair(mlm);

const attentionsOf = (model, ...options) =>
  JSON.parse(bertha('visualize', 'attention', model, '--json', ...options));

/** All weights that the page computes for its rows, layers x heads x queries x keys, and those of whole heads. */
function weightsOf(page, model = 0) {
  return page.evaluate(async (index) => {
    const { n, models } = attentionData, one = models[index];
    const count = (length, make) => Promise.all(Array.from({ length }, (_, i) => make(i)));
    const layers = await count(one.layers, (number) => one.layer(number));
    const all = (rows) => layers.map((layer) => Array.from({ length: one.heads }, (_, head) => rows(layer, head)));
    return {
      rows: all((layer, head) => Array.from({ length: n }, (_, query) => [...layer.weights(head, query)])),
      planes: all((layer, head) => {
        const plane = [...layer.plane(head)];
        return Array.from({ length: n }, (_, query) => plane.slice(query * n, (query + 1) * n));
      }),
    };
  }, model);
}

function largestDifference(a, b) {
  const left = a.flat(Infinity), right = b.flat(Infinity);
  assert.equal(left.length, right.length);
  return left.reduce((largest, x, i) => Math.max(largest, Math.abs(x - right[i])), 0);
}

/** Downloads what a click gives. */
async function download(page, selector) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

/** What an SVG file holds, by the browser's own parser; a mistake in it is an error. */
const countInSvg = (page, text, selector) => page.evaluate(([source, name]) => {
  const parsed = new DOMParser().parseFromString(source, 'image/svg+xml');
  if (parsed.querySelector('parsererror')) throw new Error(parsed.documentElement.textContent);
  return parsed.querySelectorAll(name).length;
}, [text, selector]);

/** Width and height that a PNG file says. */
function sizeOfPng(bytes) {
  assert.deepEqual([...bytes.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** The pixels of a canvas that are not see-through. */
const inked = (page, selector) => page.evaluate((name) => {
  const { width, height } = document.querySelector(name);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(document.querySelector(name), 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
  return count;
}, selector);

async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
  await nextFrame(page);
}
const textOf = (page, selector) => page.locator(selector).first().textContent();
const token = (page, side, place) => page.locator(`.rows:visible .row[data-place="${place}"] .token.${side}`).first();
async function openView(browser, name, options = {}) {
  const page = await open(browser, options.path ?? pairPage, { ...options, hash: `#view=${name}&${options.state ?? ''}` });
  await page.evaluate(() => Promise.all(attentionData.models.flatMap((model) => [model.layer(0), model.thumbnails()])));
  await nextFrame(page);
  return page;
}

/** Of Hugging Face, or null where Python lacks it. */
function reference(requests) {
  const python = process.env.BERTHA_PYTHON ?? 'python3';
  if (spawnSync(python, ['-c', 'import torch, transformers'], { stdio: 'ignore' }).status !== 0) return null;
  const input = requests.map((request) => `${JSON.stringify(request)}\n`).join('');
  const out = execFileSync(python, [join(kFixtures, 'attentions.py')], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  return out.trim().split('\n').map((line) => JSON.parse(line));
}

await run({
  'every weight is that of --json, and those of whole heads are, too': async (browser) => {
    const { tokens, attentions } = attentionsOf(mlm, '--text', kText, '--pair', kPair);
    assert.deepEqual(tokens, kTokens);
    const page = await open(browser, pairPage);
    const { rows, planes } = await weightsOf(page);
    const { error } = await page.evaluate(() => bertha.data.models[0]);
    const kDigits = 3e-8; // a float's shortest digits are that far from it
    assert.ok(largestDifference(rows, attentions) <= error + kDigits, 'the page says how exact it is');
    assert.ok(error < 1e-5);
    assert.ok(largestDifference(planes, rows) < 1e-7);
    assert.deepEqual(page.problems, []);
  },

  'every weight and the rollout are those of Hugging Face': async (browser) => {
    const families = ['bert_mlm', 'bert_question_answering', 'roberta_sequence_classification', 'distilbert_mlm'];
    const requests = families.map((family) => {
      const model = join(kModels, family);
      const vocabulary = readFileSync(join(model, 'vocab.txt'), 'utf8').split('\n');
      const { tokens } = attentionsOf(model, '--text', kText);
      return { directory: model, ids: tokens.map((name) => vocabulary.indexOf(name)), types: tokens.map(() => 0) };
    });
    const expected = reference(requests);
    if (!expected) return console.log('skipped: no torch and transformers (BERTHA_PYTHON names another Python)');
    for (const [i, { directory: model }] of requests.entries()) {
      const page = await open(browser, makePage(model, '--text', kText));
      const { rows, planes } = await weightsOf(page);
      assert.ok(largestDifference(rows, expected[i].attentions) < 1e-5, model);
      assert.ok(largestDifference(planes, expected[i].attentions) < 1e-5, model);
      const rollout = await page.evaluate(async () => [...await attentionData.models[0].rollout()]);
      assert.ok(largestDifference(rollout, expected[i].rollout) < 1e-4, model);
    }
  },

  'odd numbers of tokens, and one': async (browser) => {
    for (const text of ['', 'rain', 'rain rain rain', 'the river over the sea']) {
      const page = await open(browser, makePage(mlm, '--text', text));
      const { rows, planes } = await weightsOf(page);
      assert.ok(largestDifference(rows, attentionsOf(mlm, '--text', text).attentions) < 1e-5, text);
      assert.ok(largestDifference(planes, rows) < 1e-7, text);
      assert.deepEqual(page.problems, []);
    }
  },

  'heads: a token that is pointed at shows its weights alone': async (browser) => {
    const page = await openView(browser, 'heads', { state: 'layer=1&heads=2' });
    await screenshot(page, 'heads-1280-light');
    const all = await inked(page, '.rows canvas');
    assert.ok(all > 500, `${all} pixels`);
    const { rows } = await weightsOf(page);
    await token(page, 'query', 3).hover();
    await nextFrame(page);
    const numbers = () => page.$$eval('.rows .row', (list) => list.map((row) => [row.firstChild.textContent, row.lastChild.textContent]));
    for (const [place, [left, right]] of (await numbers()).entries()) {
      assert.equal(left, '');
      assert.ok(Math.abs(Number(right) - rows[1][2][3][place]) <= 5.1e-7, `${place}: ${right}`);
    }
    assert.match(await textOf(page, '.details h3'), /3 ‘over’ looks at/);
    await token(page, 'key', 9).hover();
    await nextFrame(page);
    for (const [place, [left, right]] of (await numbers()).entries()) {
      assert.equal(right, '');
      assert.ok(Math.abs(Number(left) - rows[1][2][place][9]) <= 6e-7, `${place}: ${left}`);
    }
    await page.mouse.move(5, 5);
    await nextFrame(page);
    assert.ok((await numbers()).flat().every((text) => text === ''));
    assert.equal(await inked(page, '.rows canvas'), all);
    assert.deepEqual(page.problems, []);
  },

  'heads: a click keeps a token, the link brings it back': async (browser) => {
    const page = await openView(browser, 'heads');
    await token(page, 'query', 2).click();
    await page.click('.chip[data-head="3"]');
    await page.selectOption('#layer', '1');
    await page.selectOption('#part', 'ab');
    await page.selectOption('#scale', 'one');
    await page.mouse.move(5, 5);
    await nextFrame(page);
    assert.deepEqual(await addressed(page), { view: 'heads', token: 'q2', heads: '0,3', layer: '1', part: 'ab', scale: 'one' });
    const shown = await page.$eval('.stage', (stage) => stage.textContent);
    assert.match(shown, /mean weights of 2 heads/);
    assert.equal(await page.$$eval('.rows .row', (list) => list.filter((row) => row.lastChild.textContent).length), 6);
    const again = await open(browser, pairPage, { hash: await hash(page) });
    await nextFrame(again);
    assert.equal(await again.$eval('.stage', (stage) => stage.textContent), shown);
    await token(again, 'query', 2).click();
    await again.mouse.move(5, 5);
    await nextFrame(again);
    assert.equal((await addressed(again)).token, undefined);
    assert.deepEqual(again.problems, []);
  },

  'heads: parts of a pair are what they say': async (browser) => {
    const page = await openView(browser, 'heads', { state: 'layer=0&heads=1' });
    const { rows } = await weightsOf(page);
    const inside = { all: [0, 14, 0, 14], ab: [0, 8, 8, 14], ba: [8, 14, 0, 8], aa: [0, 8, 0, 8], bb: [8, 14, 8, 14] };
    for (const [part, [q0, q1, k0, k1]] of Object.entries(inside)) {
      await page.selectOption('#part', part);
      await nextFrame(page);
      const lines = await page.evaluate(async () => attentionLines.strongest([{ head: 1, plane: (await attentionData.models[0].layer(0)).plane(1) }]));
      const expected = rows[0][1].slice(q0, q1).map((row) => row.slice(k0, k1)).flat();
      assert.ok(lines.every(({ query, key }) => query >= q0 && query < q1 && key >= k0 && key < k1), part);
      assert.ok(Math.abs(Math.max(...expected) - lines.at(-1).weight) < 1e-6, part);
      assert.equal(lines.length, expected.filter((weight) => weight >= Math.max(...expected) / 128).length, part);
    }
    const alone = await open(browser, makePage(mlm, '--text', kText));
    assert.ok(await alone.locator('#part').isHidden());
  },

  'heads: several in colours, all, one': async (browser) => {
    const page = await openView(browser, 'heads');
    await page.click('#all-heads');
    assert.equal((await addressed(page)).heads, '0,1,2,3');
    assert.equal(await page.$$eval('.chip[aria-pressed="true"]', (chips) => new Set(chips.map((chip) => getComputedStyle(chip).backgroundColor)).size), 4);
    await token(page, 'query', 5).click();
    await nextFrame(page);
    assert.deepEqual(await page.$$eval('.details th', (cells) => cells.map((cell) => cell.textContent)), ['key', 'mean', 'head 0', 'head 1', 'head 2', 'head 3']);
    assert.match(await textOf(page, '.details'), /Likely here: \S+ \d+\.\d %/);
    await page.click('.chip[data-head="1"]');
    assert.equal((await addressed(page)).heads, '0,2,3');
    await page.click('#one-head');
    assert.equal((await addressed(page)).heads, '3');
    await page.click('.chip[data-head="3"]');
    assert.equal((await addressed(page)).heads, '3', 'one stays');
  },

  'model: thumbnails of all heads, one enlarged': async (browser) => {
    const page = await openView(browser, 'model');
    await screenshot(page, 'model-1280-light');
    assert.ok(await inked(page, 'canvas.thumbnails') > 10000);
    const box = await page.locator('canvas.thumbnails').boundingBox();
    const cell = (box.width - 30) / 4;
    for (const [head, layer] of [[0.1, 0.1], [0.9, 0.9], [3.1, 1.9], [2.5, 1.5]]) {
      await page.mouse.move(box.x + 30 + head * cell, box.y + 34 + layer * cell);
      assert.match(await textOf(page, '.tooltip'), new RegExp(`Layer ${Math.floor(layer)}, head ${Math.floor(head)}\nentropy \\d`));
    }
    await page.mouse.click(box.x + 30 + 2.5 * cell, box.y + 34 + 1.5 * cell);
    await nextFrame(page);
    const { layer, heads, enlarged } = await addressed(page);
    assert.deepEqual({ layer, heads, enlarged }, { layer: '1', heads: '2', enlarged: 'yes' });
    assert.equal(await textOf(page, '.enlarged h3'), 'Layer 1, head 2');
    await screenshot(page, 'model-enlarged-1280-light');

    const { rows } = await weightsOf(page);
    const matrix = await page.locator('canvas.matrix:visible').boundingBox();
    const size = (matrix.width - 90) / 14;
    await page.mouse.move(matrix.x + 88 + 9.5 * size, matrix.y + 34 + 4.5 * size);
    const tip = await textOf(page, '.tooltip');
    assert.match(tip, /query 4 ‘the’\nkey 9 ‘river’\nweight/);
    assert.ok(Math.abs(Number(/weight (\S+)/.exec(tip)[1]) - rows[1][2][4][9]) <= 5.1e-7);

    await page.click('.enlarged .close');
    assert.ok(await page.locator('.enlarged').isHidden());
    await press(page, 'ArrowLeft', 'Enter');
    assert.equal(await textOf(page, '.enlarged h3'), 'Layer 1, head 1');
    await page.click('.enlarged button');
    assert.equal((await addressed(page)).view, 'heads');
    assert.deepEqual(page.problems, []);
  },

  'model: thumbnails are the weights': async (browser) => {
    const page = await openView(browser, 'model');
    const { rows } = await weightsOf(page);
    const { bytes, facts } = await page.evaluate(async () => ({ bytes: [...await attentionData.models[0].thumbnails()], facts: bertha.data.models[0].facts }));
    const flat = rows.flat(Infinity), n = 14;
    bytes.forEach((byte, i) => {
      const head = Math.floor(i / (n * n)), largest = facts[Math.floor(head / 4)][head % 4][4];
      assert.ok(Math.abs(largest * (byte / 255) ** 2 - flat[i]) <= largest / 255, `${i}`);
    });
  },

  'neurons: numbers, products, score and weight of the query': async (browser) => {
    const page = await openView(browser, 'neurons', { state: 'layer=1&heads=3&token=q5' });
    await screenshot(page, 'neurons-1280-light');
    const { rows } = await weightsOf(page);
    const shown = await page.$$eval('.neurons .rows .row', (list) => list.map((row) => [...row.children].map((cell) => cell.textContent)));
    assert.deepEqual(shown.map((row) => row[0]), kTokens);
    shown.forEach(([, , , , weight], place) => assert.ok(Math.abs(Number(weight) - rows[1][3][5][place]) <= 5.1e-7));
    const total = shown.reduce((sum, row) => sum + Math.exp(Number(row[3])), 0);
    shown.forEach(([, , , score], place) => assert.ok(Math.abs(Math.exp(Number(score)) / total - rows[1][3][5][place]) < 2e-3));
    const strip = await page.locator('.neurons .row[data-place="9"] .strip-space').nth(1).boundingBox();
    await page.mouse.move(strip.x + 3, strip.y + strip.height / 2);
    const [, q, k, product] = /q (\S+)\nk (\S+)\nq × k (\S+)/.exec(await textOf(page, '.tooltip')).map(Number);
    assert.ok(Math.abs(q * k - product) < 1e-3);
    assert.ok(await inked(page, '.neurons .rows canvas') > 1000);
    assert.ok(await inked(page, '.neurons canvas.strip') > 100);
    await token(page, 'key', 9).click();
    await nextFrame(page);
    assert.match(await textOf(page, '.neuron-header'), /query 9 ‘river’/);
    await page.click('.chip[data-head="0"]');
    assert.equal((await addressed(page)).heads, '0', 'one head at a time');
    assert.deepEqual(page.problems, []);
  },

  'facts: a table that sorts, each row a head': async (browser) => {
    const page = await openView(browser, 'facts');
    await screenshot(page, 'facts-1280-light');
    const { rows } = await weightsOf(page);
    const table = () => page.$$eval('.facts tbody tr', (list) => list.map((row) => [...row.children].map((cell) => Number(cell.textContent))));
    assert.equal((await table()).length, 8);
    const mean = (head, value) => head.reduce((sum, row, query) => sum + row.reduce((part, weight, key) => part + value(weight, query, key), 0), 0) / head.length;
    for (const [layer, head, entropy, distance, first, separator, largest] of await table()) {
      const weights = rows[layer][head];
      assert.ok(Math.abs(entropy - mean(weights, (w) => -w * Math.log(w))) < 1e-3);
      assert.ok(Math.abs(distance - mean(weights, (w, query, key) => w * Math.abs(query - key))) < 1e-2);
      assert.ok(Math.abs(first - 100 * mean(weights, (w, query, key) => (key === 0 ? w : 0))) < 1e-2);
      assert.ok(Math.abs(separator - 100 * mean(weights, (w, query, key) => ([7, 13].includes(key) ? w : 0))) < 1e-2);
      assert.ok(Math.abs(largest - Math.max(...weights.flat())) < 1e-4);
    }
    for (let column = 0; column < 7; ++column) {
      for (const direction of [1, -1]) {
        await page.click(`.facts th:nth-child(${column + 1}) button`);
        const values = (await table()).map((row) => direction * row[column]);
        if (column > 0) assert.deepEqual(values, [...values].sort((a, b) => a - b), `column ${column}`);
      }
    }
    assert.deepEqual(await addressed(page), { view: 'facts', sort: 'largest', order: 'descending' });
    const [layer, head] = (await table())[0];
    await page.click('.facts tbody tr');
    const { view, layer: l, heads } = await addressed(page);
    assert.deepEqual({ view, l, heads }, { view: 'heads', l: String(layer), heads: String(head) });
    assert.deepEqual(page.problems, []);
  },

  'rollout: shares of a position': async (browser) => {
    const page = await openView(browser, 'rollout', { state: 'token=q9' });
    await screenshot(page, 'rollout-1280-light');
    assert.equal(await textOf(page, '.rollout-panel h3'), 'What reaches 9 ‘river’ through 2 layers');
    const values = await page.evaluate(async () => [...await attentionData.models[0].rollout()]);
    for (let row = 0; row < 14; ++row) {
      assert.ok(Math.abs(values.slice(row * 14, row * 14 + 14).reduce((a, b) => a + b, 0) - 1) < 1e-3);
    }
    await page.locator('.rollout-text .token').nth(3).hover();
    assert.match(await textOf(page, '.tooltip'), new RegExp(`3 ‘over’\\nshare ${values[9 * 14 + 3].toFixed(4)}`));
    await page.locator('.rollout-text .token').nth(3).click();
    assert.equal((await addressed(page)).token, 'q3');
    assert.deepEqual(page.problems, []);
  },

  'predictions: the likeliest tokens, as bertha predict says': async (browser) => {
    const page = await openView(browser, 'predictions');
    await screenshot(page, 'predictions-1280-light');
    const expected = JSON.parse(bertha('predict', mlm, kText, kPair, '--json', '--top-k', '5'));
    const row = await page.$$eval('.predictions tr[data-place="5"] .candidate', (cells) => cells.map((cell) => [...cell.querySelectorAll('span')].slice(0, 2).map((one) => one.textContent)));
    assert.deepEqual(row, expected.map(({ token: name, score }) => [name, `${(100 * score).toFixed(2)} %`]));
    const { bytes } = await download(page, '#tsv');
    assert.equal(bytes.toString().trim().split('\n').length, 14);
    await page.click('.predictions tr[data-place="9"]');
    assert.equal((await addressed(page)).token, 'q9');
    const other = await open(browser, makePage(join(kModels, 'bert_regression'), '--text', kText), { hash: '#view=predictions' });
    assert.equal(await other.locator('.tabs button').count(), 5, 'no such view without a masked-LM head');
    assert.deepEqual(other.problems, []);
  },

  'keys do what the list on the page says': async (browser) => {
    const page = await openView(browser, 'heads');
    assert.ok(await page.locator('.keys').isVisible());
    for (const [i, name] of ['heads', 'model', 'neurons', 'facts', 'rollout', 'predictions'].entries()) {
      await press(page, String(i + 1));
      assert.equal((await addressed(page)).view, name);
      assert.equal(await page.locator('.tabs button[aria-pressed="true"]').getAttribute('data-view'), name);
    }
    await press(page, '1', 'ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowLeft');
    let address = await addressed(page);
    assert.deepEqual([address.layer, address.heads], ['1', '1']);
    await press(page, 'ArrowUp', 'ArrowUp', 'ArrowLeft', 'ArrowLeft', 'n', 'n', 'n', 'p');
    address = await addressed(page);
    assert.deepEqual([address.layer, address.heads, address.token], ['0', '0', 'q1']);
    await press(page, 'a');
    assert.equal((await addressed(page)).heads, '0,1,2,3');
    await press(page, 's');
    assert.equal((await addressed(page)).token, 'k1');
    await press(page, 'a', 'Escape');
    address = await addressed(page);
    assert.deepEqual([address.heads, address.token], ['3', undefined]);
    await press(page, '4', 'ArrowDown');
    assert.equal((await addressed(page)).layer, '0', 'where there is no layer to choose, arrows scroll');
    await press(page, '6');
    await page.focus('.predictions tr[data-place="2"]');
    await press(page, 'Enter');
    assert.equal((await addressed(page)).token, 'q2');
    await press(page, 'Escape', '1');
    await page.focus('#layer');
    await press(page, '4');
    assert.equal((await addressed(page)).view, 'heads', 'a list that has the focus keeps its keys');
  },

  'a key that is held down does not flood the address': async (browser) => {
    const page = await openView(browser, 'heads');
    await page.evaluate(() => {
      const { replaceState } = history;
      history.replaceState = (...parameters) => {
        window.changes = (window.changes ?? 0) + 1;
        replaceState.apply(history, parameters);
      };
      for (let i = 0; i < 151; ++i) document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }));
    });
    assert.equal((await addressed(page)).heads, '0,1,2,3');
    assert.equal(await page.evaluate(() => window.changes), 1);
  },

  'files of every view can be read': async (browser) => {
    for (const [view, state] of [['heads', 'heads=0,1'], ['heads', 'token=q3'], ['model', ''], ['model', 'enlarged=yes'], ['neurons', ''], ['facts', ''], ['rollout', '']]) {
      const page = await openView(browser, view, { state: `layer=1&${state}` });
      const svg = await download(page, '#svg');
      assert.equal(svg.name, `attention-${view}-layer-1.svg`);
      const text = svg.bytes.toString();
      assert.ok(await countInSvg(page, text, 'text') > 4, view);
      assert.ok(await countInSvg(page, text, view === 'heads' ? 'line' : 'image') > 0, view);
      const png = await download(page, '#png');
      const { width, height } = sizeOfPng(png.bytes);
      const said = /width="([\d.]+)" height="([\d.]+)"/.exec(text).slice(1).map(Number);
      assert.deepEqual([width, height], said.map((length) => Math.ceil(2 * length)), view);
      assert.deepEqual(page.problems, []);
    }
    const page = await openView(browser, 'facts');
    const { bytes } = await download(page, '#tsv');
    assert.equal(bytes.toString().split('\n')[0], 'layer\thead\tentropy\tdistance\tfirst\tseparator\tlargest');
  },

  'two models beside each other': async (browser) => {
    const other = join(kModels, 'distilbert_mlm');
    const path = makePair(mlm, '--compare', other);
    const page = await openView(browser, 'heads', { path, state: 'layer=1&heads=0' });
    await screenshot(page, 'compare-heads-1280-light');
    const expected = [mlm, other].map((model) => attentionsOf(model, '--text', kText, '--pair', kPair).attentions);
    for (const model of [0, 1]) assert.ok(largestDifference((await weightsOf(page, model)).rows, expected[model]) < 1e-5);
    await page.locator('.rows').first().locator('.row[data-place="2"] .token.query').hover();
    await nextFrame(page);
    for (const model of [0, 1]) {
      const numbers = await page.locator('.rows').nth(model).locator('.row').evaluateAll((list) => list.map((row) => row.lastChild.textContent));
      numbers.forEach((number, place) => assert.ok(Math.abs(Number(number) - expected[model][1][0][2][place]) < 3e-6, `${model} ${place}`));
    }
    for (const key of ['2', '3', '4', '5', '6']) {
      await press(page, key);
      assert.match(await textOf(page, '.stage'), /distilbert_mlm|Entropy B/);
      await screenshot(page, `compare-${key}-1280-light`);
    }
    assert.deepEqual(page.problems, []);
  },

  'models of different sizes beside each other': async (browser) => {
    const other = join(directory, 'two-heads');
    cpSync(mlm, other, { recursive: true });
    const configuration = JSON.parse(readFileSync(join(mlm, 'config.json'), 'utf8'));
    writeFileSync(join(other, 'config.json'), JSON.stringify({ ...configuration, num_attention_heads: 2 }));
    const page = await openView(browser, 'heads', { path: makePair(mlm, '--compare', other), state: 'heads=3&token=q2&enlarged=yes' });
    assert.match(await page.locator('.note').nth(1).textContent(), /head 3 is not in this model: it has 2 layers of 2 heads/);
    for (const key of ['2', '3', '4', '5', '6', '1', 'ArrowLeft', 'ArrowLeft']) await press(page, key);
    assert.match(await page.locator('.note').nth(1).textContent(), /exact weights that 2 ‘rain’ gives/);
    assert.deepEqual(page.problems, []);
  },

  'hostile texts and names stay text': async (browser) => {
    const model = join(directory, kHostile); // of two folders, '<' and 'script>...'
    cpSync(mlm, model, { recursive: true });
    const page = await open(browser, makePage(model, '--text', `rain ${kHostile}`, '--pair', kHostile, '--compare', mlm));
    for (const key of ['1', '2', '3', '4', '5', '6']) {
      await press(page, key);
      assert.equal(await page.locator('img').count(), 0);
    }
    assert.ok((await page.title()).endsWith(kHostile));
    assert.ok((await page.textContent('main')).includes(kHostile));
    assert.equal(await page.locator('body > script').count(), await page.evaluate(() => document.scripts.length));
    assert.deepEqual(page.problems, []);
  },

  'an address may hold anything': async (browser) => {
    for (const state of ['view=nothing&layer=99&heads=a,-1,77&token=q999&part=zz&scale=1', 'layer=-1&heads=&token=k&sort=x',
      `view=facts&sort=${encodeURIComponent(kHostile)}`, 'view=model&enlarged=yes&layer=1e3', 'view=neurons&token=k3&heads=99999999999999999999']) {
      const page = await open(browser, pairPage, { hash: `#${state}` });
      await nextFrame(page);
      assert.ok(await page.locator('.stage').isVisible());
      const { layer, heads, place } = await page.evaluate(() => ({
        layer: attentionState.layer(), heads: attentionState.chosenHeads(), place: attentionState.token()?.place ?? 0 }));
      assert.deepEqual({ layer, heads }, { layer: 0, heads: [0] }, state);
      assert.ok(place < kTokens.length, state);
      assert.deepEqual(page.problems, []);
    }
  },

  'narrow, wide, dark and light': async (browser) => {
    for (const [width, height] of [[360, 740], [1280, 900], [1920, 1080]]) {
      for (const dark of [false, true]) {
        for (const view of ['heads', 'model', 'neurons', 'facts', 'rollout', 'predictions']) {
          const page = await openView(browser, view, { width, height, dark, state: 'layer=1&heads=0,2&token=q2&enlarged=yes' });
          await screenshot(page, `${view}-${width}-${dark ? 'dark' : 'light'}`);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${view} at ${width} px is ${overflow} px too wide`);
          assert.deepEqual(page.problems, []);
          await page.context().close();
        }
      }
    }
  },

  'the theme changes what is drawn': async (browser) => {
    const page = await openView(browser, 'model', { state: 'enlarged=yes' });
    // The red of a first row, where most weights are small.
    const red = (selector, x, y) => page.$eval(selector, (canvas, [left, top]) => {
      const context = new OffscreenCanvas(1, 1).getContext('2d');
      context.drawImage(canvas, -left, -top);
      return context.getImageData(0, 0, 1, 1).data[0];
    }, [x, y]);
    const weakest = await page.evaluate(async () => {
      const plane = (await attentionData.models[0].layer(0)).plane(0).slice(0, 14);
      return plane.indexOf(Math.min(...plane));
    });
    const places = [['canvas.thumbnails', 30 + (weakest + 0.5) * 88 / 14, 34 + 3], ['canvas.matrix', 88 + (weakest + 0.5) * 34, 34 + 17]];
    for (const [selector, x, y] of places) assert.ok(await red(selector, x, y) > 110, selector);
    await page.click('#theme');
    await nextFrame(page);
    for (const [selector, x, y] of places) assert.ok(await red(selector, x, y) < 100, selector);
    assert.equal((await addressed(page)).theme, 'dark');
  },

  'a long text says what was cut, scrolls, and keeps its weights': async (browser) => {
    const path = makePage(mlm, '--text', 'the river '.repeat(80));
    const page = await open(browser, path);
    assert.match(await textOf(page, '.summary'), /20 tokens .* the text is cut; 142 tokens are left out/);
    assert.deepEqual(page.problems, []);
  },
});
