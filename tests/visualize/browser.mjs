// A headless Chromium without a network for the tests of pages, and the program that makes the pages.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const kSkipped = 77; // what ctest takes for a test that was not run

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(kSkipped);
}

const playwright = createRequire(import.meta.url)(process.env.PLAYWRIGHT);
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (!executablePath) skip('there is no Chromium');

/** A directory that is removed when the test ends. */
export const directory = mkdtempSync(join(tmpdir(), 'bertha-pages-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

/** Runs the program and returns what it prints. */
export function bertha(...parameters) {
  const options = { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] };
  return execFileSync(process.env.BERTHA_BINARY, parameters, options);
}

/** Opens a file in a fresh window; whatever the page says in the console or asks of the network ends up in `problems`. */
export async function open(browser, path, { width = 1280, height = 900, dark = false, hash = '' } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', offline: true, acceptDownloads: true,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.problems.push(message.text());
  });
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) page.problems.push(`asked for ${request.url()}`);
  });
  await page.goto(pathToFileURL(path).href + hash, { waitUntil: 'load' });
  return page;
}

/** Waits until what was done to a page is drawn. */
export const nextFrame = (page) => page.evaluate(() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(resolve));
}));

/** The part of the address that says what is shown, which is written a moment after a change. */
export async function hash(page) {
  await page.waitForTimeout(450);
  return page.evaluate(() => location.hash);
}

/** The same as an object. */
export const addressed = async (page) => Object.fromEntries(new URLSearchParams((await hash(page)).slice(1)));

/** Keeps a picture where BERTHA_SCREENSHOTS names a folder, for people to look at. */
export async function screenshot(page, name) {
  const folder = process.env.BERTHA_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** The browser, which finds no other computer. */
export const launch = () => playwright.chromium.launch({
  executablePath, args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND'],
});

/** Runs named tests one after the other, each with the browser; says which failed, and ends with 1 if any did. */
export async function run(tests) {
  const browser = await launch();
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test(browser);
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  await browser.close();
  process.exit(failed ? 1 : 0);
}

export { assert };
