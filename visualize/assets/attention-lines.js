'use strict';

/** Which lines stand for the weights of some heads. */
const attentionLines = (() => {
  const kMostLines = 2000; // more are a grey mass, and slow
  const kBins = 1024; // of equal width, from 0 to the largest weight
  const kFaintestBin = kBins / 128;

  // Loops over (n, n) numbers stand by themselves, for a call for each of them would take most of the time.

  function largestIn(plane, n, { queries, keys }) {
    let largest = 0;
    for (let query = queries[0]; query < queries[1]; ++query) {
      for (let i = query * n + keys[0], end = query * n + keys[1]; i < end; ++i) if (plane[i] > largest) largest = plane[i];
    }
    return largest;
  }

  function countBins(plane, n, { queries, keys }, factor) {
    const counts = new Uint32Array(kBins);
    for (let query = queries[0]; query < queries[1]; ++query) {
      for (let i = query * n + keys[0], end = query * n + keys[1]; i < end; ++i) ++counts[plane[i] * factor | 0];
    }
    return counts;
  }

  /** Places in (n, n) of the weights in bins from `first` on, and in the bin before of as many as have room. */
  function collect(plane, n, { queries, keys }, factor, first, room) {
    const places = [], least = room > 0 ? first - 1 : first;
    for (let query = queries[0]; query < queries[1]; ++query) {
      for (let i = query * n + keys[0], end = query * n + keys[1]; i < end; ++i) {
        const bin = plane[i] * factor | 0;
        if (bin < least || (bin < first && room-- <= 0)) continue;
        places.push(i);
      }
    }
    return places;
  }

  /** Places of the largest weights of one head. */
  function strongestPlaces(plane, n, range) {
    const largest = largestIn(plane, n, range);
    if (largest === 0) return [];
    const factor = (kBins - 0.5) / largest;
    const counts = countBins(plane, n, range, factor);
    let first = kBins, kept = 0;
    while (first > kFaintestBin && kept + counts[first - 1] <= kMostLines) kept += counts[--first];
    const room = first > kFaintestBin ? kMostLines - kept : 0;
    return collect(plane, n, range, factor, first, room);
  }

  const known = new WeakMap(); // by plane: by part of the text

  function knownPlaces(plane, part, range) {
    if (!known.has(plane)) known.set(plane, {});
    return (known.get(plane)[part] ??= strongestPlaces(plane, attentionData.n, range));
  }

  /**
   * The largest weights in the part of the text that is looked at, small ones first: {weight, query, key, head}.
   * Planes are {head, plane}.
   */
  function strongest(planes) {
    const { n } = attentionData, part = attentionState.part(), range = attentionState.range();
    const all = planes.map(({ head, plane }) => ({ head, plane, places: knownPlaces(plane, part, range) }));
    const weights = Float32Array.from(all.flatMap(({ plane, places }) => places.map((i) => plane[i]))).sort();
    if (!weights.length) return [];
    const least = Math.max(weights.at(-kMostLines) ?? 0, weights.at(-1) * kFaintestBin / kBins);
    const lines = all.flatMap(({ head, plane, places }) => places.filter((i) => plane[i] >= least).map((i) =>
      ({ weight: plane[i], query: Math.floor(i / n), key: i % n, head })));
    return lines.sort((a, b) => a.weight - b.weight).slice(-kMostLines);
  }

  return { strongest };
})();
