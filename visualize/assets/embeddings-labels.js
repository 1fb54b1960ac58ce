'use strict';

/** Which names are written on the map: those that fit, so that there are the more the further one zooms in. */
function createLabels(names) {
  const kCell = 4; // pixels
  const kHeight = 15;
  const kLongest = 28; // characters
  const kAreaOfOne = 7000; // square pixels of the map
  const kApart = 150; // pixels between two of the same text
  const widths = new Map();

  function shorten(name) {
    const characters = Array.from(name.slice(0, 2 * kLongest));
    return characters.length > kLongest ? `${characters.slice(0, kLongest - 1).join('')}…` : name || '(empty)';
  }

  function widthOf(context, point, text) {
    if (!widths.has(point)) widths.set(point, context.measureText(text).width);
    return widths.get(point);
  }

  /** A grid of what is taken; `take` says whether a box was free, and then it is not any more. */
  function createRoom(width, height) {
    const columns = Math.ceil(width / kCell);
    const rows = Math.ceil(height / kCell);
    const taken = new Uint8Array(columns * rows);
    function take(left, top, boxWidth) {
      const [firstX, firstY] = [Math.floor(left / kCell), Math.floor(top / kCell)];
      const [lastX, lastY] = [Math.ceil((left + boxWidth) / kCell), Math.ceil((top + kHeight) / kCell)];
      if (firstX < 0 || firstY < 0 || lastX >= columns || lastY >= rows) return false;
      for (let y = firstY; y <= lastY; y += 1) {
        for (let x = firstX; x <= lastX; x += 1) if (taken[y * columns + x]) return false;
      }
      for (let y = firstY; y <= lastY; y += 1) taken.fill(1, y * columns + firstX, y * columns + lastX + 1);
      return true;
    }
    return { take };
  }

  /** The labels of the points in `lists`, first come first served: [{ point, text, x, y }], y a base line. */
  function place(context, { lists, shown, left, top, width, height, gap }) {
    const room = createRoom(width, height);
    const most = Math.max(8, Math.floor(width * height / kAreaOfOne));
    const labels = new Map();
    const samePlaces = new Map(); // by text
    for (const point of lists.flat()) {
      if (labels.size === most) break;
      if (!shown[point] || labels.has(point)) continue;
      const [x, y] = [left(point), top(point)];
      if (x < 0 || y < 0 || x > width || y > height) continue;
      const text = shorten(names[point]);
      const same = samePlaces.get(text) ?? [];
      if (same.some(([otherX, otherY]) => Math.hypot(x - otherX, y - otherY) < kApart)) continue;
      const textWidth = widthOf(context, point, text);
      const start = [x + gap, x - gap - textWidth].find((at) => room.take(at, y - kHeight / 2, textWidth));
      if (start === undefined) continue;
      labels.set(point, { point, text, x: start, y: y + 4 });
      samePlaces.set(text, [...same, [x, y]]);
    }
    return [...labels.values()];
  }

  return { place, shorten };
}
