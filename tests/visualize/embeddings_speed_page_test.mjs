// The embedding map of a whole vocabulary, in motion.

import { join } from 'node:path';

import { assert, bertha, directory, open, run } from './browser.mjs';
import { groupedVectors, kSpecials, writeModel } from './made_up_model.mjs';

const kTokens = 30522;
const kFrames = 100;
const kRounds = 3; // of which one counts: the machine may be busy with something else for a while

/** In the page: zooms in and out, then drags, a step a frame, and returns the milliseconds between frames. */
function move(frames) {
  const canvas = document.getElementById('map');
  const box = canvas.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const say = (target, kind, more) => target.dispatchEvent(new (kind === 'wheel' ? WheelEvent : MouseEvent)(kind, {
    bubbles: true, cancelable: true, view: window, clientX: x, clientY: y, ...more,
  }));
  const step = (frame) => {
    if (frame < frames / 2) return say(canvas, 'wheel', { deltaY: frame < frames / 4 ? -60 : 60 });
    if (frame === frames / 2) say(canvas, 'mousedown', {});
    return say(window, 'mousemove', { clientX: x + 3 * (frame - frames / 2), clientY: y - 2 * (frame - frames / 2) });
  };
  return new Promise((resolve) => {
    const times = [];
    const tick = (time) => {
      times.push(time);
      if (times.length <= frames) {
        step(times.length - 1);
        requestAnimationFrame(tick);
      } else {
        say(window, 'mouseup', {});
        resolve(times.slice(1).map((one, i) => one - times[i]));
      }
    };
    requestAnimationFrame(tick);
  });
}

await run({
  'moves 30,522 points at 30 frames a second or more': async (browser) => {
    const tokens = [...kSpecials, ...Array.from({ length: kTokens - kSpecials.length }, (_, i) => `word${i}`)];
    const model = writeModel('many', tokens, groupedVectors(kTokens, 60));
    const file = join(directory, 'many.html');
    bertha('visualize', 'embeddings', model, '--output', file);
    const page = await open(browser, file);
    await page.waitForSelector('html[data-ready]', { state: 'attached' });
    await page.waitForTimeout(1000);
    const medians = [];
    for (let round = 0; round < kRounds; round += 1) {
      const before = await page.evaluate(() => document.getElementById('map').toDataURL());
      const times = (await page.evaluate(move, kFrames)).sort((a, b) => a - b);
      assert.notEqual(await page.evaluate(() => document.getElementById('map').toDataURL()), before, 'nothing moved');
      medians.push(times[kFrames / 2]);
      console.log(`        milliseconds a frame: median ${medians.at(-1).toFixed(1)}, 95th percentile ${times[0.95 * kFrames].toFixed(1)}`);
    }
    assert.ok(Math.min(...medians) <= 1000 / 30, String(medians));
    assert.deepEqual(page.problems, []);
  },
});
