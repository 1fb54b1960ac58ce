// Takes the README's pictures of pages with a headless Chromium, of the run of scripts/demo:
//
//   BERTHA_BINARY=build/bin/bertha tests/visualize/run_page_test docs/take_pictures.mjs runs/demo

import { join } from 'node:path';

import { bertha, directory, launch, open } from '../tests/visualize/browser.mjs';

const kText = 'oak: a deciduous [MASK] that has acorns and lobed leaves.';
const kFolder = 'docs/pictures';

const [run] = process.argv.slice(2);
const model = join(run, 'model');
const browser = await launch();

async function take(name, parameters, { width, height, hash = '', act = () => {} }) {
  const path = join(directory, `${name}.html`);
  bertha(...parameters, '--output', path);
  const page = await open(browser, path, { width, height, hash });
  await page.waitForTimeout(1500);
  await act(page);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(kFolder, `${name}.png`) });
  await page.context().close();
}

await take('attention', ['visualize', 'attention', model, '--text', kText], {
  width: 1100, height: 640, hash: '#view=heads&layer=1&heads=0,1',
  act: (page) => page.locator('.rows .row[data-place="5"] .token.query').hover(),
});
await take('vocabulary', ['visualize', 'embeddings', model], {
  width: 1100, height: 800,
  act: async (page) => {
    await page.fill('#search', 'river');
    await page.press('#search', 'Enter');
    await page.fill('#search', '');
  },
});
await take('report', ['report', run], { width: 1100, height: 730 });
await browser.close();
