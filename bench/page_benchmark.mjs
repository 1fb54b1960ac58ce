// How large and how fast the attention page is: a model of BERT-base's shape (random weights, or the directory given) and
// a text as long as its positions, in a headless Chromium.
//
//   BERTHA_BINARY=build/bin/bertha tests/visualize/run_page_test bench/page_benchmark.mjs [MODEL]

import { statSync } from 'node:fs';
import { join } from 'node:path';

import { bertha, directory, launch, open } from '../tests/visualize/browser.mjs';
import { randomModel, text } from './attention_input.mjs';

const kTimes = 31;
const kRest = 1500; // between layers: what the page does in idle time is done by then
const kStep = 50; // between tokens, as of a pointer that moves over them

/** Milliseconds from an input event of `type`, which `act` causes, to the end of the frame that shows its effect. */
async function latency(page, type, act) {
  const measured = page.evaluate((name) => new Promise((resolve) => {
    addEventListener(name, ({ timeStamp }) => {
      const { prototype } = CanvasRenderingContext2D, { clearRect } = prototype;
      prototype.clearRect = function first(...parameters) { // the beginning of drawing
        prototype.clearRect = clearRect;
        clearRect.apply(this, parameters);
        const channel = new MessageChannel();
        channel.port1.onmessage = () => resolve(performance.now() - timeStamp);
        channel.port2.postMessage(null);
      };
    }, { capture: true, once: true });
  }), type);
  await page.evaluate(() => 0); // the listener is there
  await act();
  return measured;
}

/** Milliseconds that the page's main thread has computed; others on the machine do not add to them. */
async function computed(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value;
}

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

async function repeat(page, devtools, pause, type, act) {
  const waited = [], thread = [];
  for (let i = 0; i < kTimes; ++i) {
    await page.waitForTimeout(pause);
    const before = await computed(devtools);
    waited.push(await latency(page, type, () => act(i)));
    thread.push(await computed(devtools) - before);
  }
  return `${median(waited).toFixed(1)} ms to the frame (worst ${Math.max(...waited).toFixed(1)}), `
    + `${median(thread).toFixed(1)} ms of the main thread`;
}

async function firstPaints(browser, path) {
  const times = [];
  for (let i = 0; i < 3; ++i) {
    const page = await open(browser, path);
    times.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    await page.context().close();
  }
  return times.map((time) => `${Math.round(time)} ms`).join(', ');
}

const model = process.argv[2] ?? randomModel();
const path = join(directory, 'page.html');
const begin = Date.now();
bertha('visualize', 'attention', model, '--text', text(600), '--output', path);
console.log(`made in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
console.log(`size ${(statSync(path).size / 1e6).toFixed(1)} MB`);

const browser = await launch();
console.log(`first contentful paint: ${await firstPaints(browser, path)}`);
const page = await open(browser, path);
const devtools = await page.context().newCDPSession(page);
await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
const { tokens, models } = await page.evaluate(() => bertha.data);
console.log(`${tokens.length} tokens, ${models[0].layers} layers, ${models[0].heads} heads, error ${models[0].error.toExponential(1)}, bits ${models[0].bits}`);
await page.waitForTimeout(5000);
const first = await page.locator('.rows .row .token.query').first().boundingBox();
const point = (i) => page.mouse.move(first.x + first.width / 2, first.y + (i + 2.5) * first.height);
const nextLayer = (i) => page.keyboard.press(Math.floor(i / (models[0].layers - 1)) % 2 ? 'ArrowUp' : 'ArrowDown'); // to the last and back
console.log(`one head: another layer ${await repeat(page, devtools, kRest, 'keydown', nextLayer)}`);
console.log(`one head: pointing at a token ${await repeat(page, devtools, kStep, 'pointerover', point)}`);
await page.mouse.move(5, 5);
await page.keyboard.press('a');
await page.evaluate(() => attentionState.setLayer(0));
await page.waitForTimeout(8000);
console.log(`all heads: another layer ${await repeat(page, devtools, kRest, 'keydown', nextLayer)}`);
console.log(`all heads: pointing at a token ${await repeat(page, devtools, kStep, 'pointerover', point)}`);
await browser.close();
