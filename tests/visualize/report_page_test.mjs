// The page of `bertha report`, used as people use it.

import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, bertha, directory, hash, nextFrame, open as openFile, run, screenshot } from './browser.mjs';
import { analysisOf, kSpanAnalysis, lossAt, writeResults, writeRun } from './made_up_runs.mjs';

const kHostile = '<img src=x onerror=alert(1)>';
const kClosing = '</script><img src=x onerror=alert(1)>';

function pageOf(name, ...runs) {
  const path = join(directory, `${name}.html`);
  bertha('report', ...runs, '--output', path);
  return path;
}

const first = writeRun(join(directory, 'runs/first'), {
  change: (line) => { if (line.step === 120) Object.assign(line, { skipped: 1, grad_norm: 40 }); },
  more: { 150: [JSON.stringify({ phase: 'rewind', step: 150, from_step: 163 })] },
  config: ['  learning_rate: 0.002', '  seed: 1'],
});
const second = writeRun(join(directory, 'runs/second'), { start: 6, config: ['  learning_rate: 0.001', '  seed: 1'], facts: { ranks: 4 } });
const both = pageOf('both', first, second);

/** What is done to the page returns when the frame that shows it is drawn. */
function waitForFrames(page, actions) {
  for (const name of actions) {
    const act = page[name].bind(page);
    page[name] = async (...how) => {
      await act(...how);
      await nextFrame(page);
    };
  }
}

/** Opens a report and waits for its first drawing, which sets the buttons of its runs. */
async function open(...how) {
  const page = await openFile(...how);
  await page.waitForSelector('.legend .run[aria-pressed]', { state: 'attached' });
  waitForFrames(page, ['click', 'dblclick', 'check', 'uncheck', 'fill', 'hover', 'selectOption']);
  return page;
}

/** Where a place of the axis stands on the screen, by the ticks of a chart that has a linear axis. */
async function screenX(page, metric, value) {
  const chart = page.locator(`.chart[data-metric="${metric}"]`);
  const ticks = await chart.locator('.axis.x .tick').evaluateAll((nodes) => nodes.map((node) => ({
    value: Number(node.textContent.replaceAll(',', '')), x: node.querySelector('line').getBoundingClientRect().left,
  })));
  const [a, b] = [ticks[0], ticks[ticks.length - 1]];
  return a.x + (value - a.value) / (b.value - a.value) * (b.x - a.x);
}

const plot = (page, metric) => page.locator(`.chart[data-metric="${metric}"] svg.plot`);
const drawing = (page, metric) => plot(page, metric).evaluate((node) => node.outerHTML);
const curves = (page, metric, name = 'curve') => page.locator(`.chart[data-metric="${metric}"] path.${name}`);
async function settled(page) {
  await page.waitForTimeout(260);
  await nextFrame(page);
}

async function middle(page, metric) {
  await plot(page, metric).scrollIntoViewIfNeeded();
  await page.waitForTimeout(450); // since the page was scrolled
  const box = await plot(page, metric).boundingBox();
  return { x: box.x + box.width / 2, y: box.y + 100 };
}

async function lastTick(page, metric) {
  const texts = await page.locator(`.chart[data-metric="${metric}"] .axis.x .tick`).allTextContents();
  return Number(texts[texts.length - 1].replaceAll(',', ''));
}

function assertWhole(markup) {
  assert.doesNotMatch(markup, /NaN|undefined|Infinity/);
}

async function close(page) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

await run({
  'charts show every metric of both runs with axes, baselines and marks': async (browser) => {
    const page = await open(browser, both);
    const shown = await page.locator('.chart').evaluateAll((nodes) => nodes.map((node) => node.dataset.metric));
    assert.deepEqual(shown, ['mlm_loss', 'mlm_accuracy', 'learning_rate', 'grad_norm', 'tokens_per_s', 'mfu', 'communication_share', 'peak_rss_mib']);
    for (const metric of shown) {
      assertWhole(await drawing(page, metric));
      assert.equal(await curves(page, metric).count(), 2, metric);
    }
    const loss = await plot(page, 'mlm_loss').textContent();
    assert.match(loss, /unigram entropy 6\.2500/);
    assert.match(loss, /Step/);
    assert.match(await plot(page, 'mlm_accuracy').textContent(), /most frequent token 5\.0 %/);
    assert.equal(await curves(page, 'mlm_loss', 'mark').count(), 2 * 4 + 2, 'evaluations, and the ends of lines');
    assert.equal(await curves(page, 'mlm_loss', 'checkpoint').count(), 8);
    assert.equal(await curves(page, 'grad_norm', 'skipped').count(), 1);
    assert.equal(await curves(page, 'grad_norm', 'rewind').count(), 1);
    assert.match(await page.locator('.signs').textContent(), /checkpoint \(8\).*update skipped \(1\).*gone back to \(1\)/);
    const dashes = await curves(page, 'mlm_loss').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('stroke-dasharray')));
    assert.notEqual(dashes[0], dashes[1]);
    assert.match(await page.locator('#overview').textContent(), /first200200,0000:01:40/);
    await close(page);
  },

  'runs are toggled, and one is shown alone': async (browser) => {
    const page = await open(browser, both);
    await page.click('.legend .run >> nth=1');
    assert.equal(await curves(page, 'mlm_loss').count(), 1);
    assert.equal(await page.getAttribute('.legend .run >> nth=1', 'aria-pressed'), 'false');
    assert.equal(await hash(page), '#hide=1');
    await page.click('.legend .run >> nth=1');
    assert.equal(await curves(page, 'mlm_loss').count(), 2);
    await page.click('.legend .run >> nth=1', { modifiers: ['Shift'] });
    assert.equal(await hash(page), '#hide=0');
    await page.click('.legend .run >> nth=1', { modifiers: ['Shift'] });
    assert.equal(await curves(page, 'mlm_loss').count(), 2);
    await page.click('.legend .run >> nth=0');
    await page.click('.legend .run >> nth=1');
    assert.match(await plot(page, 'mlm_loss').textContent(), /No values of the runs shown/);
    await close(page);
  },

  'the axis is steps, tokens or time': async (browser) => {
    const page = await open(browser, both);
    await page.click('[data-axis="tokens"]');
    assert.match(await plot(page, 'mlm_loss').textContent(), /150k.*Tokens trained on/);
    await page.click('[data-axis="time"]');
    assert.match(await plot(page, 'mlm_loss').textContent(), /100.*Training time \(seconds\)/);
    assert.equal(await page.getAttribute('[data-axis="time"]', 'aria-pressed'), 'true');
    assert.equal(await hash(page), '#x=time');
    await close(page);
  },

  'typing changes the smoothing, and what was measured stays faint behind': async (browser) => {
    const page = await open(browser, both);
    assert.equal(await page.inputValue('#smooth'), '2');
    const before = await curves(page, 'mlm_loss').first().getAttribute('d');
    await page.fill('#smooth', '40');
    await settled(page);
    assert.equal(await hash(page), '#smooth=40');
    assert.notEqual(await curves(page, 'mlm_loss').first().getAttribute('d'), before);
    assert.equal(await curves(page, 'mlm_loss', 'faint').count(), 2);
    await page.uncheck('#raw');
    assert.equal(await curves(page, 'mlm_loss', 'faint').count(), 0);
    const measured = await curves(page, 'learning_rate').first().getAttribute('d');
    await page.fill('#smooth', '0');
    await settled(page);
    assert.equal(await curves(page, 'learning_rate').first().getAttribute('d'), measured, 'is never smoothed');
    await page.fill('#smooth', '-3');
    await settled(page);
    assert.match(await hash(page), /smooth=0/, 'nonsense changes nothing');
    await page.locator('input[type="range"]').fill('100');
    await settled(page);
    assert.equal(await page.inputValue('#smooth'), '200');
    await page.uncheck('#marks');
    assert.equal(await curves(page, 'mlm_loss', 'checkpoint').count(), 0);
    await close(page);
  },

  'a chart has a logarithmic axis and the whole width when asked': async (browser) => {
    const page = await open(browser, both);
    const button = (text) => page.locator('.chart[data-metric="grad_norm"] button', { hasText: text });
    const linear = await curves(page, 'grad_norm').first().getAttribute('d');
    await button('Log').click();
    await nextFrame(page);
    assert.notEqual(await curves(page, 'grad_norm').first().getAttribute('d'), linear);
    assert.equal(await button('Log').getAttribute('aria-pressed'), 'true');
    await button('⤢').click();
    await settled(page);
    const box = await plot(page, 'grad_norm').boundingBox();
    assert.ok(box.width > 1200 && box.height > 400, JSON.stringify(box));
    assert.equal(await hash(page), '#log=grad_norm&large=grad_norm');
    await close(page);
  },

  'dragging, the wheel and keys zoom all charts; a double click shows everything': async (browser) => {
    const page = await open(browser, both);
    const at = await middle(page, 'mlm_loss');
    const [from, to] = [await screenX(page, 'mlm_loss', 50), await screenX(page, 'mlm_loss', 100)];
    await page.mouse.move(from, at.y);
    await page.mouse.down();
    await page.mouse.move(to - 20, at.y);
    assert.equal(await page.locator('rect.selection').count(), 1);
    await page.mouse.move(to, at.y);
    await page.mouse.up();
    await settled(page);
    assert.ok(Math.abs(await lastTick(page, 'mlm_loss') - 100) <= 2);
    assert.ok(Math.abs(await lastTick(page, 'peak_rss_mib') - 100) <= 2, 'all charts');
    const zoom = new URLSearchParams((await hash(page)).slice(1)).get('zoom').split(':').map(Number);
    assert.ok(Math.abs(zoom[0] - 50) < 2 && Math.abs(zoom[1] - 100) < 2, zoom.join());
    await page.mouse.dblclick(at.x, at.y);
    await settled(page);
    assert.equal(await lastTick(page, 'mlm_loss'), 200);
    assert.equal(await hash(page), '');

    await page.mouse.move(at.x, at.y);
    await page.mouse.wheel(0, -300);
    await settled(page);
    const length = (text) => text.split(':').map(Number).reduce((low, high) => high - low);
    const wheeled = length(new URLSearchParams((await hash(page)).slice(1)).get('zoom'));
    assert.ok(wheeled > 60 && wheeled < 90, String(wheeled));
    await page.mouse.wheel(0, 900);
    await settled(page);
    assert.equal(await hash(page), '', 'and out again');

    await plot(page, 'grad_norm').focus();
    await page.keyboard.press('+');
    await settled(page);
    assert.ok(Math.abs(length(new URLSearchParams((await hash(page)).slice(1)).get('zoom')) - 99.5) < 0.1);
    await page.keyboard.press('Shift+ArrowRight');
    await settled(page);
    assert.ok(Math.abs(await lastTick(page, 'mlm_loss') - 160) <= 10);
    await page.keyboard.press('0');
    await settled(page);
    assert.equal(await hash(page), '');
    assert.ok(await page.isDisabled('#reset'));
    await close(page);
  },

  'hovering and arrow keys show the values of all runs at a step': async (browser) => {
    const page = await open(browser, both, { hash: '#smooth=0' });
    const at = await middle(page, 'mlm_loss');
    await page.mouse.move(await screenX(page, 'mlm_loss', 100), at.y);
    const readout = page.locator('.readout');
    const text = await readout.innerText();
    assert.match(text, /step 100/);
    assert.match(text, new RegExp(`first\\s+${lossAt(100, 8).toFixed(4)}, evaluated ${(lossAt(100, 8) + 0.5).toFixed(4)} at 100`));
    assert.match(text, new RegExp(`second\\s+${lossAt(100, 6).toFixed(4)}`));
    assert.equal(await page.locator('.chart[data-metric="grad_norm"] line.cursor').count(), 1, 'the crosshair is in all charts');
    await page.mouse.move(5, 5);
    assert.ok(await readout.isHidden());
    await plot(page, 'mlm_loss').focus();
    await page.keyboard.press('End');
    assert.match(await readout.innerText(), /step 200/);
    await page.keyboard.press('ArrowLeft');
    assert.match(await readout.innerText(), /step 196/);
    await page.click('[data-axis="tokens"]');
    await page.mouse.move(await middle(page, 'mlm_loss').then(({ x }) => x), (await middle(page, 'mlm_loss')).y);
    assert.match(await readout.innerText(), /k tokens[\s\S]*step \d+/);
    await close(page);
  },

  'a link reproduces the view': async (browser) => {
    const page = await open(browser, both);
    await page.click('[data-axis="tokens"]');
    await page.fill('#smooth', '15');
    await page.click('.legend .run >> nth=1');
    await page.locator('.chart[data-metric="mlm_loss"] button', { hasText: 'Log' }).click();
    await page.click('#theme');
    const at = await middle(page, 'mlm_loss');
    await page.mouse.move(at.x, at.y);
    await page.mouse.wheel(0, -200);
    await settled(page);
    await page.mouse.move(5, 5);
    const again = await open(browser, both, { hash: await hash(page) });
    await settled(again);
    for (const metric of ['mlm_loss', 'grad_norm']) assert.equal(await drawing(again, metric), await drawing(page, metric));
    assert.equal(await again.inputValue('#smooth'), '15');
    assert.equal(await again.getAttribute('html', 'data-theme'), 'dark');
    await close(again);
    for (const nonsense of ['#zoom=9:3&x=what&smooth=much&hide=77&large=none&log=..', '#zoom=1e9:2e9&smooth=1e9']) {
      const odd = await open(browser, both, { hash: nonsense });
      assertWhole(await drawing(odd, 'mlm_loss'));
      await close(odd);
    }
    await close(page);
  },

  'charts are saved as SVG and PNG, with the names of the runs': async (browser) => {
    const page = await open(browser, both);
    const save = async (text) => {
      const waiting = page.waitForEvent('download');
      await page.locator('.chart[data-metric="mlm_loss"] button', { hasText: text }).click();
      const download = await waiting;
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    };
    const svg = await save('SVG');
    assert.equal(svg.name, 'mlm_loss.svg');
    const parsed = await page.evaluate((text) => {
      const document = new DOMParser().parseFromString(text, 'image/svg+xml');
      const path = document.querySelector('path.curve');
      return { errors: document.querySelectorAll('parsererror').length, text: document.documentElement.textContent,
        stroke: path.getAttribute('stroke'), height: Number(document.documentElement.getAttribute('height')) };
    }, svg.bytes.toString());
    assert.equal(parsed.errors, 0);
    assert.match(parsed.stroke, /^rgb/, 'without style sheets');
    assert.match(parsed.text, /first.*second/);
    assert.match(parsed.text, /Masked-token loss nats/);
    assert.ok(parsed.height > 280);
    const png = await save('PNG');
    assert.equal(png.bytes.subarray(1, 4).toString(), 'PNG');
    assert.equal(png.bytes.readUInt32BE(20), 2 * parsed.height);
    assert.equal(await page.locator('.plot text.title').count(), 0, 'the page is as before');
    await close(page);
  },

  'configurations are compared': async (browser) => {
    const page = await open(browser, both);
    const table = page.locator('#configuration table');
    assert.match(await table.textContent(), /training\.learning_rate0\.0020\.001/);
    assert.doesNotMatch(await table.textContent(), /seed/);
    await page.uncheck('#differs');
    assert.match(await table.textContent(), /training\.seed11/);
    assert.match(await page.locator('section#facts table').textContent(), /ranks24/);
    await close(page);
  },

  'fine-tuning shows seeds, labels, confusion, and mistakes to read': async (browser) => {
    const fine = join(directory, 'fine');
    [0.5, 0.75].forEach((accuracy, index) => {
      const path = writeRun(join(fine, `seed-${index + 1}`), { steps: 60 });
      writeResults(path, { validation: { accuracy } }, { validation: analysisOf(['cat', 'dog']), test: kSpanAnalysis });
    });
    const page = await open(browser, pageOf('fine', fine));
    assert.match(await page.locator('.seeds').textContent(), /validation: Accuracy62\.5 %17\.7 %50\.0 %75\.0 %/);
    const cells = await page.locator('.cell').evaluateAll((nodes) => nodes.map((node) => node.textContent));
    assert.deepEqual(cells, ['38', '12', '3', '47']);
    assert.match(await page.locator('#analysis table').first().textContent(), /cat92\.7 %76\.0 %83\.5 %5041/);
    assert.equal(await page.locator('.mistake').count(), 10);
    await page.click('#more');
    assert.equal(await page.locator('.mistake').count(), 15);
    await page.click('.cell >> nth=2');
    assert.equal(await page.locator('.mistake').count(), 3);
    assert.match(await page.locator('.mistake').first().textContent(), /gold: dogpredicted: cat86\.0 % sure · line 14text 14/);
    assert.match(await hash(page), /gold=dog&predicted=cat/);
    await page.click('.cell >> nth=2');
    await page.fill('#search', 'text 13');
    assert.equal(await page.locator('.mistake').count(), 1);
    await page.fill('#search', '');
    await page.focus('.cell >> nth=0');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await nextFrame(page);
    assert.equal(await page.getAttribute('.cell >> nth=1', 'aria-pressed'), 'true');

    await page.selectOption('#part', 'test');
    assert.deepEqual(await page.locator('.mistake mark').allTextContents(), ['𝒪slo', 'New ', 'York'], 'places are code points');
    assert.equal(await page.locator('.mistake mark').nth(2).getAttribute('class'), 'gold predicted');
    await page.selectOption('#kind', 'missed');
    assert.equal(await page.locator('.mistake').count(), 1);
    await page.selectOption('#run', { index: 1 });
    assert.match(await hash(page), /run=1/);
    const waiting = page.waitForEvent('download');
    await page.locator('#analysis .buttons button', { hasText: 'SVG' }).click();
    assert.match(readFileSync(await (await waiting).path(), 'utf8'), /^<svg/);
    await close(page);
  },

  'hostile names and texts stay text': async (browser) => {
    const path = writeRun(join(directory, kHostile), {
      steps: 5, change: (line) => Object.assign(line, { [kClosing]: 1, constructor: 3 }), facts: { processor: kClosing },
      more: { 5: ['{"phase":"train","step":6,"__proto__":2}'] },
    });
    writeResults(path, { validation: { [kClosing]: 0.5 } }, { [kClosing]: { ...analysisOf([kClosing, '<b>dog']) } });
    appendFileSync(join(path, 'config.yaml'), `"${kClosing}": '${kClosing}'\n`);
    const file = pageOf('hostile', path, first);
    const page = await open(browser, file);
    page.on('dialog', () => assert.fail('a script ran'));
    assert.equal(await page.locator('img').count(), 0);
    const text = await page.locator('body').innerText();
    assert.ok(text.includes(kHostile) && text.includes(kClosing));
    assert.ok(await page.locator('.chart').count() >= 11);
    await page.locator('.mistake').first().hover();
    await page.click('.cell >> nth=1');
    await page.locator(`.chart >> nth=0`).locator('svg.plot').hover();
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.locator('b', { hasText: '<b>dog' }).count() > 0, true);
    await close(page);
  },

  'files that are damaged or missing are named, and a run without steps is no failure': async (browser) => {
    const path = join(directory, 'damaged');
    writeRun(path, { steps: 3 });
    appendFileSync(join(path, 'metrics.jsonl'), 'nonsense\n{"phase":"tr');
    const empty = join(directory, 'young');
    mkdirSync(empty);
    writeFileSync(join(empty, 'config.yaml'), 'task: mlm\n');
    const page = await open(browser, pageOf('damaged', path, empty));
    const notes = await page.locator('#notes').textContent();
    assert.match(notes, /damaged: metrics\.jsonl: damaged lines passed over: 2/);
    assert.match(notes, /young: metrics\.jsonl: is missing.*young: run\.json: is missing/);
    await close(page);
    const young = await open(browser, pageOf('young', empty));
    assert.match(await young.locator('#controls').textContent(), /There are no curves yet/);
    await close(young);
  },

  'a long run makes a small page that still has its spike': async (browser) => {
    const path = writeRun(join(directory, 'long'), { steps: 60000, change: (line) => { if (line.step === 34567) line.grad_norm = 99; } });
    const file = pageOf('long', path);
    assert.ok(statSync(file).size < 1e6, `${statSync(file).size} bytes`);
    const page = await open(browser, file, { hash: '#smooth=0' });
    const lines = (await curves(page, 'grad_norm').first().getAttribute('d')).slice(1).split('L').map((pair) => pair.split(',').map(Number));
    assert.ok(lines.length > 900 && lines.length <= 2000, `${lines.length} points`);
    await close(page);
    const near = await open(browser, file, { hash: '#smooth=0&zoom=34500:34600' });
    const at = await middle(near, 'grad_norm');
    await near.mouse.move(await screenX(near, 'grad_norm', 34567), at.y);
    assert.match(await near.locator('.readout').innerText(), /step 34,56\d[\s\S]*\b99\b/);
    await close(near);
  },

  'pages fit small and large screens, dark and light': async (browser) => {
    for (const [width, height] of [[360, 780], [1280, 900], [1920, 1080]]) {
      for (const dark of [false, true]) {
        for (const name of ['both', 'fine', 'hostile']) {
          const page = await open(browser, join(directory, `${name}.html`), { width, height, dark });
          await settled(page);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `${name} is ${wide} wide on ${width}`);
          await screenshot(page, `report-${name}-${width}-${dark ? 'dark' : 'light'}`);
          await close(page);
        }
      }
    }
  },
});
