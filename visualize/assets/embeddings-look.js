'use strict';

/** What a column's cells look like: a shade each, and what its legend says. */
function createColors(points) {
  const kSeries = 8; // colours of shell.css; the last is for what is left over
  const kSteps = 32;
  const kMostNames = 7;

  const series = (index) => d3.rgb(bertha.color(`series-${index}`));
  // The end of the scale that the background would swallow is left out.
  const ramp = (share) => d3.rgb(d3.interpolateViridis(bertha.theme() === 'dark' ? 0.25 + 0.75 * share : 0.88 * share));

  function plain() {
    return { codes: new Uint8Array(points.count), colors: [series(0)], names: null, range: null };
  }

  /** The most frequent names have a colour each, all others share one. */
  function ofNames({ values, codes }) {
    const counts = new Uint32Array(values.length);
    codes.forEach((code) => { counts[code] += 1; });
    const ranked = d3.range(values.length).sort((a, b) => counts[b] - counts[a]);
    const groups = new Uint8Array(values.length);
    const own = values.length <= kSeries ? values.length : kMostNames;
    ranked.forEach((code, rank) => { groups[code] = Math.min(rank, own); });
    const names = ranked.slice(0, own).map((code) => ({ name: values[code] || '(empty)', count: counts[code] }));
    if (own < values.length) {
      names.push({ name: `${values.length - own} others`, count: d3.sum(ranked.slice(own), (code) => counts[code]) });
    }
    const last = (index) => (index === own ? kSeries - 1 : index);
    return {
      codes: Uint8Array.from(codes, (code) => groups[code]), colors: names.map((_, index) => series(last(index))), names,
      range: null,
    };
  }

  /** A scale from the 1st to the 99th of a hundred, so that a few outliers do not take all of it. */
  function ofNumbers({ numbers }) {
    const sorted = Float64Array.from(numbers).sort();
    const [low, high] = [0.01, 0.99].map((share) => d3.quantile(sorted, share));
    const step = (number) => Math.round((kSteps - 1) * Math.min(1, Math.max(0, (number - low) / (high - low || 1))));
    return {
      codes: Uint8Array.from(numbers, step), colors: d3.range(kSteps).map((i) => ramp(i / (kSteps - 1))), names: null,
      range: { low, high, least: sorted[0], most: sorted[sorted.length - 1] },
    };
  }

  /** Of a column, or of none. */
  function of(column) {
    if (!column) return plain();
    return column.numbers ? ofNumbers(column) : ofNames(column);
  }

  return { of };
}

/** How the map is to look: `bright` points keep their colour where there are any, `hidden` groups are left out. */
function createLook(points, { coloring, hidden, bright }) {
  const shadeCount = coloring.colors.length;
  const faded = bright !== null;
  const shown = Uint8Array.from(coloring.codes, (code) => (hidden.has(code) ? 0 : 1));
  const isBright = new Uint8Array(points.count);
  (bright ?? []).forEach((point) => { isBright[point] = 1; });
  const shadeOf = coloring.codes.slice();
  if (faded) isBright.forEach((is, point) => { if (!is) shadeOf[point] = shadeCount; });
  // Large groups first, so that small ones are seen.
  const sizes = new Uint32Array(shadeCount + 1);
  shadeOf.forEach((shade) => { sizes[shade] += 1; });
  const rank = coloring.range ? () => 0 : (shade) => -sizes[shade];
  const depth = d3.range(shadeCount).sort((a, b) => rank(a) - rank(b));
  const layers = [shadeCount, ...(coloring.range ? [null] : depth)];
  const order = layers.flatMap((layer) => d3.range(points.count).filter((point) => shown[point]
    && (layer === null ? shadeOf[point] !== shadeCount : shadeOf[point] === layer)));
  const size = faded ? 1.5 : 1;
  const shades = coloring.colors.map((color) => ({ color, opacity: 0.8, size }));
  shades.push({ color: d3.rgb(bertha.color('muted')), opacity: 0.28, size: 0.9 });
  return {
    order: Uint32Array.from(order), shadeOf, shades, shown, bright: isBright, faded,
    background: d3.rgb(bertha.color('background')),
  };
}
