'use strict';

/** How runs are told apart: by colour, by dash and by mark, so that any one of the three is enough. */
const look = (() => {
  const { svg } = bertha;
  const kDashes = [null, '7 3', '2 3', '9 3 2 3', '12 4', '4 2 1 2 1 2', '1 4', '14 3 5 3'];
  const kMarks = [d3.symbolCircle, d3.symbolSquare, d3.symbolTriangle, d3.symbolDiamond, d3.symbolCross, d3.symbolStar,
    d3.symbolWye];

  const color = (place) => `var(--series-${place % 8})`;
  const dash = (place) => kDashes[place % kDashes.length];
  const mark = (place, size) => d3.symbol().type(kMarks[place % kMarks.length]).size(size)();

  /** A piece of the line of a run, with its mark, for legends. */
  function swatch(place) {
    return svg('svg', { class: 'swatch', width: 34, height: 14, viewBox: '0 0 34 14', 'aria-hidden': 'true' },
      svg('line', { x1: 1, y1: 7, x2: 33, y2: 7, stroke: color(place), 'stroke-width': 2, 'stroke-dasharray': dash(place) }),
      svg('path', { d: mark(place, 44), transform: 'translate(17 7)', fill: color(place) }));
  }

  /** Paths without the folders that all of them lie in. */
  function labels(names) {
    const folders = names.map((name) => name.split('/').slice(0, -1));
    let shared = 0;
    while (names.length > 1 && folders.every((parts) => shared < parts.length && parts[shared] === folders[0][shared])) shared += 1;
    const short = names.map((name) => name.split('/').slice(shared).join('/'));
    return new Set(short).size === new Set(names).size ? short : names;
  }

  return { color, dash, mark, swatch, labels };
})();
