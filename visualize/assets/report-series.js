'use strict';

/** Curves of runs: smoothing, and places on the axis of steps, tokens or time. */
const series = (() => {
  const kAxes = new Map([
    ['step', { label: 'Step', curve: null }],
    ['tokens', { label: 'Tokens trained on', curve: 'tokens' }],
    ['time', { label: 'Training time', curve: 'elapsed_s' }],
  ]);

  const find = (curves, name) => curves.find((curve) => curve.name === name) ?? null;

  /** The name of a unit of time, and seconds of one, in which so many seconds are easily read. */
  function timeUnit(seconds) {
    if (seconds > 2 * 86400) return { name: 'days', seconds: 86400 };
    if (seconds > 2 * 3600) return { name: 'hours', seconds: 3600 };
    if (seconds > 120) return { name: 'minutes', seconds: 60 };
    return { name: 'seconds', seconds: 1 };
  }

  /** Between neighbouring points of two rising lists, on a straight line; outside of them, of their ends. */
  function interpolate(from, to, value) {
    if (from.length === 0) return value;
    const right = Math.min(Math.max(d3.bisectLeft(from, value), 1), from.length - 1);
    if (from.length === 1 || value <= from[0]) return to[0];
    if (value >= from[from.length - 1]) return to[from.length - 1];
    const share = (value - from[right - 1]) / (from[right] - from[right - 1]);
    return to[right - 1] + share * (to[right] - to[right - 1]);
  }

  /** Functions from steps of a run to places on an axis, in units, and back. */
  function placesOf(run, axis, unit) {
    const name = kAxes.get(axis).curve;
    const curve = name && find(run.training, name);
    if (!curve) return { place: (step) => step, step: (place) => place };
    return {
      place: (step) => interpolate(curve.steps, curve.values, step) / unit,
      step: (place) => Math.round(interpolate(curve.values, curve.steps, place * unit)),
    };
  }

  /** [step, value] of a curve as it was drawn from; value null is a gap. */
  const points = (curve) => curve.steps.map((step, index) => [step, curve.values[index]]);

  /** Of each value the weighted sum of itself and those before, and of the weights, which fall by e in `span` steps. */
  function sums(steps, values, span) {
    let sum = 0;
    let weight = 0;
    return steps.map((step, index) => {
      const kept = index > 0 ? Math.exp(-Math.abs(step - steps[index - 1]) / span) : 0;
      sum = kept * sum + (values[index] ?? 0);
      weight = kept * weight + (values[index] === null ? 0 : 1);
      return [sum, weight];
    });
  }

  /** A curve's means, each a weighted mean of those around it, and so without a lag; gaps stay. */
  function smoothed(curve, span) {
    const steps = curve.mean_steps ?? curve.steps;
    const values = curve.means ?? curve.values;
    const before = sums(steps, values, span);
    const behind = sums([...steps].reverse(), [...values].reverse(), span).reverse();
    return steps.map((step, index) => {
      if (values[index] === null) return [step, null];
      const weight = before[index][1] + behind[index][1] - 1;
      return [step, (before[index][0] + behind[index][0] - values[index]) / weight];
    });
  }

  /** The point nearest to a step that is no gap; null where there is none. */
  function nearest(list, step) {
    const index = d3.bisector((point) => point[0]).left(list, step);
    for (let distance = 0; distance <= list.length; distance += 1) {
      const near = [list[index - 1 - distance], list[index + distance]].filter((point) => point && point[1] !== null);
      if (near.length > 0) return near.reduce((a, b) => (Math.abs(b[0] - step) < Math.abs(a[0] - step) ? b : a));
    }
    return null;
  }

  /** A round number near the hundredth part of a run. */
  function usualSpan(lastStep) {
    const wanted = lastStep / 100;
    if (wanted < 1) return 0;
    const power = 10 ** Math.floor(Math.log10(wanted));
    return power * [5, 2, 1].find((factor) => factor * power <= wanted);
  }

  return { kAxes, find, timeUnit, placesOf, points, smoothed, nearest, usualSpan };
})();
