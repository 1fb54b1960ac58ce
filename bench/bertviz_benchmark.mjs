// BertViz's page of heads beside Bertha's: the same model, the same text at several lengths, a headless Chromium.
//
//   BERTHA_BINARY=build/bin/bertha BERTHA_PYTHON=python tests/visualize/run_page_test bench/bertviz_benchmark.mjs LIBRARIES [MODEL]
//
// Python has bertviz and torch. Its page asks a network for three scripts; LIBRARIES is a folder that has them, as
// require.min.js, d3.min.js (5.7.0) and jquery.min.js (2).

import { execSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { directory, launch } from '../tests/visualize/browser.mjs';
import { randomModel, text } from './attention_input.mjs';

const kLengths = [32, 64, 128, 256, 512], kPatience = 120_000; // milliseconds
const kDrawn = 'svg line';

const [libraries, model = randomModel()] = process.argv.slice(2);

function makePage(tokens) {
  const path = join(directory, `bertviz-${tokens}.html`);
  const read = `"$BERTHA_BINARY" visualize attention '${model}' --text '${text(tokens)}' --max-length ${tokens} --json`;
  execSync(`${read} | "$BERTHA_PYTHON" bench/bertviz_page.py > '${path}'`, { stdio: ['ignore', 'ignore', 'inherit'] });
  return path;
}

/** Milliseconds until `act` shows in a frame. */
async function untilShown(page, act) {
  const begin = performance.now();
  await act();
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); }));
  return performance.now() - begin;
}

async function measure(browser, path) {
  const page = await browser.newPage();
  page.setDefaultTimeout(kPatience);
  await page.route(/^https:/, (route) => route.fulfill({ path: join(libraries, basename(route.request().url())) }));
  const begin = performance.now();
  await page.goto(pathToFileURL(path).href, { waitUntil: 'commit' });
  await page.waitForSelector(kDrawn, { state: 'attached' });
  await page.evaluate(() => 0); // drawing holds the page's only thread
  const drawn = performance.now() - begin;
  const layer = await untilShown(page, () => page.selectOption('#layer', '1'));
  const token = page.locator('#left text').nth(3);
  const hover = await untilShown(page, () => token.hover({ force: true }));
  return { drawn, layer, hover, lines: await page.locator('svg line').count() };
}

for (const tokens of kLengths) {
  const path = makePage(tokens);
  const size = `${(statSync(path).size / 1e6).toFixed(1)} MB`;
  const browser = await launch();
  try {
    const { drawn, layer, hover, lines } = await measure(browser, path);
    console.log(`${tokens} tokens: ${size}, drawn in ${(drawn / 1000).toFixed(1)} s, another layer ${layer.toFixed(0)} ms, `
      + `pointing at a token ${hover.toFixed(0)} ms, ${lines} lines`);
  } catch (error) {
    console.log(`${tokens} tokens: ${size}, ${error.message.split('\n')[0]}`);
  }
  await browser.close();
}
