// How large and how fast the attention page is: a model of BERT-base's shape (random weights, or the directory given) and
// a text as long as its positions, in a headless Chromium.
//
//   BERTHA_BINARY=build/bin/bertha tests/visualize/run_page_test bench/page_benchmark.mjs [MODEL]

import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bertha, directory, launch, open } from '../tests/visualize/browser.mjs';

const kWords = ('the a bird fish horse cat farmer rain river hill stone gate village tree water light morning night sings '
  + 'swims runs sleeps opens falls under over on in by with old cold green warm heavy silent small bright far near').split(' ');
const kTimes = 11;

/** The same words every time. */
function text(words) {
  let number = 1;
  return Array.from({ length: words }, () => {
    number = (number * 48271) % 2147483647;
    return kWords[number % kWords.length];
  }).join(' ');
}

function randomModel() {
  const corpus = join(directory, 'corpus.txt'), configuration = join(directory, 'pretrain.yaml');
  writeFileSync(corpus, Array.from({ length: 40 }, (_, i) => `${text(60 + i)} .\n\n`).join(''));
  writeFileSync(configuration, `model: {preset: base, vocab_size: 200}
task: mlm
data: {text: ['${corpus}'], sequence_length: 16}
training: {steps: 1, global_batch_size: 1, learning_rate: 1e-6}
output: '${join(directory, 'run')}'
`);
  bertha('pretrain', configuration);
  return join(directory, 'run', 'model');
}

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

async function repeat(page, type, act) {
  const times = [];
  for (let i = 0; i < kTimes; ++i) {
    await page.waitForTimeout(400); // what the page does in idle time is done
    times.push(await latency(page, type, () => act(i)));
  }
  times.sort((a, b) => a - b);
  return `median ${times[Math.floor(kTimes / 2)].toFixed(1)} ms, worst ${times.at(-1).toFixed(1)} ms`;
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
const { tokens, models } = await page.evaluate(() => bertha.data);
console.log(`${tokens.length} tokens, ${models[0].layers} layers, ${models[0].heads} heads, error ${models[0].error.toExponential(1)}, bits ${models[0].bits}`);
await page.waitForTimeout(5000);
const rows = page.locator('.rows .row .token.query');
const point = (i) => rows.nth(i + 2).hover();
const nextLayer = (i) => page.keyboard.press(i < models[0].layers - 1 ? 'ArrowDown' : 'ArrowUp');
console.log(`one head: another layer ${await repeat(page, 'keydown', nextLayer)}`);
console.log(`one head: pointing at a token ${await repeat(page, 'pointerover', point)}`);
await page.mouse.move(5, 5);
await page.keyboard.press('a');
await page.evaluate(() => attentionState.setLayer(0));
await page.waitForTimeout(8000);
console.log(`all heads: another layer ${await repeat(page, 'keydown', nextLayer)}`);
console.log(`all heads: pointing at a token ${await repeat(page, 'pointerover', point)}`);
await browser.close();
