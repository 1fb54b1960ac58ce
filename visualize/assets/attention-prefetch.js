'use strict';

/** Computes in idle time what the next key press may ask for: heads and layers beside the ones that are shown. */
const attentionPrefetch = (() => {
  const { models } = attentionData;
  // A page in which nothing moves may never be told that it is idle.
  const whenIdle = (work) => (window.requestIdleCallback ? requestIdleCallback(work, { timeout: 100 }) : setTimeout(work, 30));

  /** [layer, head] in the order in which they are likely to be looked at. */
  function neighbours() {
    const layer = attentionState.layer(), heads = attentionState.chosenHeads(), head = attentionState.head();
    const others = heads.length > 1 ? [] : [head + 1, head - 1];
    const places = [...heads, ...others].map((next) => [layer, next]);
    for (const next of [layer + 1, layer - 1, layer + 2, layer - 2]) places.push(...heads.map((chosen) => [next, chosen]));
    return places;
  }

  /** The first thing that is not there yet, as a function that makes it, or null. */
  function nextWork() {
    for (const [number, head] of neighbours()) {
      for (const model of models) {
        if (number < 0 || number >= model.layers || head < 0 || head >= model.heads) continue;
        const layer = model.readyLayer(number);
        if (!layer) return () => model.layer(number);
        if (!layer.hasPlane(head)) return () => attentionLines.strongest([{ head, plane: layer.plane(head) }]);
      }
    }
    for (const model of models) {
      for (let number = 0; number < model.layers; ++number) {
        if (!model.readyLayer(number)) return () => model.layer(number);
      }
    }
    return null;
  }

  let running = false;
  async function work() {
    const next = nextWork();
    running = Boolean(next);
    if (!next) return;
    await next();
    whenIdle(work);
  }
  /** Begins again where it had come to an end. */
  function start() {
    if (running) return;
    running = true;
    whenIdle(work);
  }
  return { start };
})();
