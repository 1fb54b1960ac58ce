'use strict';

/** The points of the page: what they are called, what is known of them, who is near them and where they lie. */
async function loadPoints() {
  const blocks = ['points', 'components', 'layout', 'neighbors', 'cosines'];
  const [text, components, layout, neighbors, cosines] = await Promise.all(blocks.map(bertha.block));
  const { names, columns } = JSON.parse(new TextDecoder().decode(text));
  const scores = new Float32Array(components);
  const plane = new Float32Array(layout);
  const nearest = new Int32Array(neighbors);
  const nearness = new Uint16Array(cosines);
  const lowerCase = names.map((name) => name.toLowerCase());
  const { explained, neighbors: known } = bertha.data;

  /** The neighbours of a point, the nearest first. */
  function neighborsOf(point) {
    return d3.range(point * known, (point + 1) * known)
      .map((at) => ({ point: nearest[at], cosine: nearness[at] / 32767.5 - 1 }));
  }

  function componentsOf(point) {
    return Array.from(scores.subarray(point * explained.length, (point + 1) * explained.length));
  }

  function column(name) {
    return columns.find((one) => one.name === name);
  }

  function cell(one, point) {
    return one.numbers ? one.numbers[point] : one.values[one.codes[point]];
  }

  /** A cell for people to read. */
  function cellText(one, point) {
    const value = cell(one, point);
    return one.numbers && !Number.isInteger(value) ? String(Number(value.toPrecision(5))) : String(value);
  }

  /** Points whose name holds the text, whatever its case: first those it is, then those that begin with it. */
  function search(query) {
    const wanted = query.trim().toLowerCase();
    if (!wanted) return [];
    const groups = [[], [], []];
    lowerCase.forEach((name, point) => {
      const at = name.indexOf(wanted);
      if (at >= 0) groups[name === wanted ? 0 : at === 0 ? 1 : 2].push(point);
    });
    return groups.flat();
  }

  /** Where the points lie in a view: centred, the whole within -1 and 1, `unit` times as long as it is in `scale`. */
  function places({ map, x, y }) {
    const pick = map === 'umap' ? (axis) => (point) => plane[2 * point + axis]
      : (axis) => (point) => scores[point * explained.length + [x, y][axis]];
    const axes = [0, 1].map((axis) => Float32Array.from({ length: names.length }, (_, point) => pick(axis)(point)));
    const ranges = axes.map((values) => d3.extent(values));
    const unit = 2 / Math.max(1e-9, ...ranges.map(([low, high]) => high - low));
    const middle = ranges.map(([low, high]) => (low + high) / 2);
    axes.forEach((values, axis) => values.forEach((value, point) => { values[point] = (value - middle[axis]) * unit; }));
    return { x: axes[0], y: axes[1], unit, middle };
  }

  return { count: names.length, names, columns, column, cell, cellText, componentsOf, neighborsOf, search, places };
}
