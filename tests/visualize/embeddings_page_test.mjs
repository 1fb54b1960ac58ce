// The embedding map of made-up models: groups of tokens around far-away centres, so that who is near whom is known.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

import { addressed, assert, bertha, directory, hash, open, run, screenshot } from './browser.mjs';
import { groupedVectors, kFixture, kHidden, kSpecials, writeModel } from './made_up_model.mjs';

const kHostile = '</script><img src=x onerror=alert(1)>';

// ---- Models

const kGroups = 4;
const tokens = [...kSpecials, '[unused0]', kHostile, '7', '12', '!', '?', '##ing',
  ...Array.from({ length: 388 }, (_, i) => `${['north', 'south', 'east', 'west'][i % kGroups]}${i}`)];
const vectors = groupedVectors(tokens.length, kGroups);
const model = writeModel('model', tokens, vectors);
const groupOf = (token) => tokens.indexOf(token) % kGroups;

const vocabularyPage = join(directory, 'vocabulary.html');
const tsv = join(directory, 'tsv');
const report = JSON.parse(bertha('visualize', 'embeddings', model, '--output', vocabularyPage, '--tsv', tsv, '--json'));

const fixtureWords = readFileSync(join(kFixture, 'vocab.txt'), 'utf8').split('\n').filter((word) => /^[a-z]{2,}$/.test(word));
const table = join(directory, 'texts.tsv');
const textRows = Array.from({ length: 60 }, (_, i) => [0, 1, 2, 3].map((j) => fixtureWords[(i * 7 + j * 5) % fixtureWords.length]).join(' '));
const labels = ['good', 'bad', kHostile];
writeFileSync(table, `sentence\tlabel\tscore\n${textRows.map((text, i) => `${text}\t${labels[i % 3]}\t${i / 10}`).join('\n')}\n`);
const textsPage = join(directory, 'texts.html');
bertha('visualize', 'embeddings', kFixture, '--data', table, '--text-column', 'sentence', '--color-column', 'label',
  '--color-column', 'score', '--output', textsPage);
const tokensPage = join(directory, 'tokens.html');
bertha('visualize', 'embeddings', kFixture, '--of', 'tokens', '--data', table, '--text-column', 'sentence',
  '--output', tokensPage);

// ---- What the pages show

/** The numbers of a page's block, read without the page's own scripts. */
function block(file, name, Type) {
  const [, text] = readFileSync(file, 'utf8').match(new RegExp(`id="block-${name}">([^<]*)<`));
  const bytes = inflateSync(Buffer.from(text, 'base64'));
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Where points are on the canvas of a page that shows the whole of the layout. */
async function pixelsOf(page, file) {
  const layout = block(file, 'layout', Float32Array);
  const axes = [0, 1].map((axis) => layout.filter((_, i) => i % 2 === axis));
  const ranges = axes.map((values) => [Math.min(...values), Math.max(...values)]);
  const span = Math.max(...ranges.map(([low, high]) => high - low));
  const box = await page.locator('#map').boundingBox();
  const scale = Math.min(box.width, box.height) / 2 - 28;
  const at = (axis, point) => (axes[axis][point] - (ranges[axis][0] + ranges[axis][1]) / 2) * 2 / span * scale;
  return axes[0].reduce((all, _, point) => [...all,
    [box.x + box.width / 2 + at(0, point), box.y + box.height / 2 - at(1, point)]], []);
}

async function openMap(browser, file, options = {}) {
  const page = await open(browser, file, options);
  await page.waitForSelector('html[data-ready]', { state: 'attached' });
  await settle(page);
  return page;
}

/** Until points have arrived where they move to. */
const settle = (page) => page.waitForTimeout(700);
const picture = (page) => page.evaluate(() => document.getElementById('map').toDataURL());
const texts = (page, selector) => page.locator(selector).allTextContents();
const tableNames = (page) => texts(page, '#selection tbody tr td:first-child');

async function downloaded(page, ...buttons) {
  const names = buttons.at(-1);
  const downloads = [];
  const all = new Promise((resolve) => page.on('download', (one) => {
    downloads.push(one);
    if (downloads.length === names.length) resolve();
  }));
  await page.click(buttons[0]);
  await all;
  assert.deepEqual(downloads.map((one) => one.suggestedFilename()), names);
  return Promise.all(downloads.map(async (one) => readFileSync(await one.path())));
}

/** The point's nearest others by cosine, in double. */
function trueNeighbors(point, count) {
  const row = (i) => Array.from(vectors.subarray(i * kHidden, (i + 1) * kHidden));
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const own = row(point);
  return tokens.map((_, i) => [i, dot(own, row(i)) / Math.sqrt(dot(own, own) * dot(row(i), row(i)))])
    .filter(([i]) => i !== point).sort((a, b) => b[1] - a[1]).slice(0, count);
}

function withoutProblems(page) {
  assert.deepEqual(page.problems, []);
}

await run({
  'reports what was written': async () => {
    assert.equal(report.points, 400);
    assert.equal(report.dimensions, kHidden);
    assert.equal(report.explained_variance.length, 10);
    assert.ok(report.quality.umap.neighbors_kept > 0.3 && report.quality.umap.trustworthiness > 0.9, JSON.stringify(report));
    assert.equal(report.bytes, readFileSync(vocabularyPage).length);
  },

  'finds, lists and highlights while one types': async (browser) => {
    const page = await openMap(browser, vocabularyPage);
    const before = await picture(page);
    await page.fill('#search', 'NORTH1');
    const wanted = tokens.filter((token) => token.startsWith('north1'));
    assert.equal(await page.textContent('#match-count'), `${wanted.length} tokens found`);
    assert.deepEqual((await texts(page, '#matches .name')).sort(), wanted.slice().sort());
    await settle(page);
    assert.notEqual(await picture(page), before);
    await page.fill('#search', 'nowhere');
    assert.equal(await page.textContent('#match-count'), '0 tokens found');
    await page.fill('#search', 'south13');
    await page.press('#search', 'Enter');
    assert.equal((await addressed(page)).point, String(tokens.indexOf('south13')));
    withoutProblems(page);
  },

  'says under the mouse what a point is': async (browser) => {
    const page = await openMap(browser, vocabularyPage);
    const point = tokens.indexOf('east14');
    const [x, y] = (await pixelsOf(page, vocabularyPage))[point];
    await page.mouse.move(x, y);
    const tip = await page.textContent('.tooltip');
    const [name, facts, near] = tip.split('\n');
    assert.ok(tokens.includes(name), tip);
    const found = tokens.indexOf(name);
    assert.match(facts, new RegExp(`^id ${found} · kind \\S+ · length \\d+ · norm [0-9.]+$`));
    assert.equal(near.split(': ')[1].split(', ')[0], `${tokens[trueNeighbors(found, 1)[0][0]]} ${trueNeighbors(found, 1)[0][1].toFixed(2)}`);
    assert.equal(groupOf(name), groupOf('east14'));
    await page.mouse.move(2, 2);
    assert.equal(await page.isHidden('.tooltip'), true);
    withoutProblems(page);
  },

  'shows the nearest neighbours of a point that is clicked, which are the true ones': async (browser) => {
    const page = await openMap(browser, vocabularyPage);
    const [x, y] = (await pixelsOf(page, vocabularyPage))[tokens.indexOf('west15')];
    await page.mouse.click(x, y);
    const point = Number((await addressed(page)).point);
    assert.equal(await page.textContent('#picked h2 .name'), tokens[point]);
    const wanted = trueNeighbors(point, 20);
    assert.deepEqual(await texts(page, '#neighbors .name'), wanted.map(([i]) => tokens[i]));
    assert.deepEqual(await texts(page, '#neighbors .number'), wanted.map(([, cosine]) => cosine.toFixed(3)));
    await page.click('#neighbors li:first-child button');
    assert.equal((await addressed(page)).point, String(wanted[0][0]));
    await page.click('#unpick');
    assert.equal((await addressed(page)).point, undefined);
    withoutProblems(page);
  },

  'selects a group with the lasso and lists it': async (browser) => {
    const page = await openMap(browser, vocabularyPage, { width: 1920, height: 1080 });
    const pixels = await pixelsOf(page, vocabularyPage);
    const group = tokens.map((_, i) => i).filter((i) => i % kGroups === 1);
    const [xs, ys] = [0, 1].map((axis) => group.map((i) => pixels[i][axis]));
    const box = [Math.min(...xs) - 6, Math.min(...ys) - 6, Math.max(...xs) + 6, Math.max(...ys) + 6];
    for (const tool of ['lasso', 'rectangle']) {
      await page.click(`#tool-${tool}`);
      await page.mouse.move(box[0], box[1]);
      await page.mouse.down();
      const corners = tool === 'lasso' ? [[box[2], box[1]], [box[2], box[3]], [box[0], box[3]], [box[0], box[1] + 8]] : [[box[2], box[3]]];
      for (const [x, y] of corners) await page.mouse.move(x, y, { steps: 12 });
      await page.mouse.up();
      assert.equal(await page.textContent('#selected-count'), `${group.length} selected`);
      assert.deepEqual(await tableNames(page), group.map((i) => tokens[i]));
    }
    await screenshot(page, 'embeddings-selection-1920');
    await page.click('#unselect');
    assert.equal((await addressed(page)).select, undefined);
    await page.click('#tool-move');
    await page.keyboard.down('Shift');
    await page.mouse.move(box[0], box[1]);
    await page.mouse.down();
    await page.mouse.move(box[2], box[3], { steps: 5 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    assert.equal(await page.textContent('#selected-count'), `${group.length} selected`);
    withoutProblems(page);
  },

  'moves and zooms by wheel, mouse, buttons and keyboard': async (browser) => {
    const page = await openMap(browser, vocabularyPage);
    const at = async () => (await addressed(page)).at?.split(',').map(Number);
    await page.hover('#map');
    await page.mouse.wheel(0, -400);
    await page.waitForFunction(() => location.hash.includes('at='));
    const wheeled = await at();
    assert.ok(wheeled[2] > 1.2, String(wheeled));
    const { x, y, width, height } = await page.locator('#map').boundingBox();
    await page.mouse.move(x + 30, y + 30);
    await page.mouse.down();
    await page.mouse.move(x + 130, y + 30, { steps: 4 });
    await page.mouse.up();
    const dragged = await at();
    const scale = wheeled[2] * (Math.min(width, height) / 2 - 28);
    assert.ok(Math.abs(wheeled[0] - dragged[0] - 100 / scale) < 0.002, `${wheeled} to ${dragged}`);
    await page.click('#zoom-in');
    assert.ok(Math.abs((await at())[2] / dragged[2] - 1.5) < 0.01);
    await page.click('#whole');
    assert.equal(await at(), undefined);
    await page.focus('#map');
    await page.keyboard.press('+');
    assert.equal((await at())[2], 1.4);
    await page.keyboard.press('ArrowRight');
    assert.ok((await at())[0] > 0.05);
    await page.keyboard.press('Enter');
    assert.ok(Number((await addressed(page)).point) >= 0);
    await page.keyboard.press('Escape');
    assert.equal((await addressed(page)).point, undefined);
    await page.keyboard.press('0');
    assert.equal(await at(), undefined);
    withoutProblems(page);
  },

  'shows components, their variance and their axes': async (browser) => {
    const page = await openMap(browser, vocabularyPage);
    assert.equal(await page.isHidden('#axis-x'), true);
    await page.click('#map-pca');
    await settle(page);
    await screenshot(page, 'embeddings-pca-1280');
    const first = await picture(page);
    assert.equal((await texts(page, '#variance tbody td:nth-child(3)'))[0], `${(100 * report.explained_variance[0]).toFixed(1)} %`);
    await page.selectOption('#axis-x', '3');
    await settle(page);
    const address = await addressed(page);
    assert.deepEqual([address.map, address.x], ['pca', '3']);
    assert.notEqual(await picture(page), first);
    assert.deepEqual(await texts(page, '#variance tr.used td:first-child'), ['2', '3']);
    withoutProblems(page);
  },

  'a link reproduces the view, down to the pixel': async (browser) => {
    const page = await openMap(browser, vocabularyPage);
    await page.click('#map-pca');
    await page.selectOption('#axis-y', '3');
    await page.selectOption('#color', 'length');
    await page.fill('#search', 'west');
    await page.click('#take-matches');
    await page.locator('#matches button').nth(3).click();
    await page.click('#zoom-in');
    await page.click('#theme');
    await settle(page);
    const again = await openMap(browser, vocabularyPage, { hash: await hash(page) });
    assert.equal(await picture(again), await picture(page));
    assert.deepEqual(await tableNames(again), await tableNames(page));
    assert.equal(await again.inputValue('#search'), 'west');
    assert.equal(await again.inputValue('#color'), 'length');
    assert.equal(await again.textContent('#picked h2'), await page.textContent('#picked h2'));
    await again.evaluate(() => { location.hash = '#map=umap'; });
    await settle(again);
    assert.equal(await again.inputValue('#search'), '');
    assert.equal(await again.isHidden('#axis-x'), true);
    for (const nonsense of ['#at=a,b,c&x=99&y=0&map=zip&color=none&point=1e9&select=umap_0_1_a_b&off=99.x', '#point=-1&select=pca_77_88_0,0_1,1_2,0']) {
      withoutProblems(await openMap(browser, vocabularyPage, { hash: nonsense }));
    }
    withoutProblems(page);
    withoutProblems(again);
  },

  'colours by columns, and hides groups': async (browser) => {
    const page = await openMap(browser, vocabularyPage);
    const kinds = Object.fromEntries((await texts(page, '#legend .entry')).map((text) => text.match(/^([a-z]+)(\d+)$/).slice(1)));
    assert.deepEqual(kinds, { word: '389', special: '5', digits: '2', punctuation: '2', unused: '1', piece: '1' });
    const all = await picture(page);
    await page.click('#legend .entry >> text=word');
    await settle(page);
    assert.notEqual(await picture(page), all);
    assert.equal(await page.evaluate(() => document.activeElement.dataset.code), '0');
    const [x, y] = (await pixelsOf(page, vocabularyPage))[tokens.indexOf('west195')];
    await page.mouse.move(x, y);
    const tip = await page.locator('.tooltip');
    assert.ok(await tip.isHidden() || !(await tip.textContent()).startsWith('west'), 'a hidden point was found');
    await page.selectOption('#color', 'norm');
    assert.equal(await page.locator('#legend .ramp .swatch').count(), 32);
    const address = await addressed(page);
    assert.deepEqual([address.color, address.off], ['norm', undefined]);
    await page.selectOption('#color', '');
    assert.equal(await page.locator('#legend > *').count(), 0);
    withoutProblems(page);
  },

  'saves pictures and tables': async (browser) => {
    const page = await openMap(browser, vocabularyPage, { hash: `#q=east&select=matches&point=${tokens.indexOf('east14')}` });
    const selected = tokens.filter((token) => token.includes('east'));
    const [drawing] = await downloaded(page, '#save-svg', ['map.svg']);
    const svg = drawing.toString();
    assert.ok(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
    assert.equal(svg.match(/<circle/g).length, tokens.length + 1, 'a disc a point and a ring');
    assert.equal(svg.match(/fill-opacity="0.28"/g).length, tokens.length - selected.length, 'what was not found is faded');
    assert.match(svg, />east14<\/text>/);
    const parses = await page.evaluate((text) => !new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror'), svg);
    assert.ok(parses);
    const [png] = await downloaded(page, '#save-png', ['map.png']);
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    const [rows] = await downloaded(page, '#download-table', ['selected.tsv']);
    const cells = rows.toString().trimEnd().split('\n').map((line) => line.split('\t'));
    assert.deepEqual(cells[0], ['name', 'id', 'kind', 'length', 'norm']);
    assert.deepEqual(cells.slice(1).map(([name]) => name).sort(), selected.slice().sort());
    const [components, metadata] = await downloaded(page, '#download-projector', ['vectors.tsv', 'metadata.tsv']);
    const lines = components.toString().trimEnd().split('\n');
    assert.equal(lines.length, selected.length);
    assert.ok(lines.every((line) => line.split('\t').length === 10 && line.split('\t').every((x) => Number.isFinite(Number(x)))));
    assert.equal(metadata.toString(), rows.toString());
    await page.click('#copy');
    await page.waitForFunction(() => document.getElementById('copy').textContent === 'Copied');
    withoutProblems(page);
  },

  'leaves names and values text, whatever they are': async (browser) => {
    const page = await openMap(browser, vocabularyPage, { hash: `#point=${tokens.indexOf(kHostile)}&q=img&select=matches` });
    assert.equal(await page.textContent('#picked h2 .name'), kHostile);
    assert.deepEqual(await tableNames(page), [kHostile]);
    const other = await openMap(browser, textsPage);
    assert.ok((await texts(other, '#legend .name')).includes(kHostile));
    for (const one of [page, other]) {
      assert.equal(await one.locator('img').count(), 0);
      withoutProblems(one);
    }
  },

  'shows the texts of a file by their columns': async (browser) => {
    const page = await openMap(browser, textsPage, { hash: '#point=7' });
    assert.equal(await page.inputValue('#color'), 'label');
    assert.deepEqual(await texts(page, '#color option'), ['one colour', 'label', 'score', 'line', 'tokens', 'norm']);
    const facts = await texts(page, '#picked dd');
    assert.deepEqual(facts.slice(0, 3), ['bad', '0.7', '9']);
    assert.equal(await page.textContent('#picked h2 .name'), textRows[7]);
    await page.selectOption('#color', 'score');
    await screenshot(page, 'embeddings-texts-1280');
    const ofTokens = await openMap(browser, tokensPage, { hash: '#point=1' });
    assert.equal(await ofTokens.inputValue('#color'), 'kind');
    assert.equal(await ofTokens.textContent('#picked h2 .name'), textRows[0].split(' ')[0]);
    assert.equal((await texts(ofTokens, '#picked dd')).at(-1), textRows[0]);
    withoutProblems(page);
    withoutProblems(ofTokens);
  },

  'fits narrow and wide windows, dark and light': async (browser) => {
    for (const [width, height, dark] of [[360, 740, false], [360, 740, true], [1280, 900, true], [1920, 1080, false]]) {
      const page = await openMap(browser, vocabularyPage, { width, height, dark, hash: `#point=${tokens.indexOf('west15')}&q=west&select=near` });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} pixels too wide at ${width}`);
      await screenshot(page, `embeddings-${width}-${dark ? 'dark' : 'light'}`);
      withoutProblems(page);
    }
  },
});
