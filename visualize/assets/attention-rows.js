'use strict';

/**
 * One row a token in a part of the page that scrolls, and a canvas behind the rows that are seen. `columns` are
 * {name, text?: (place) => string, side?: 'query' or 'key'}; a cell with a side stands for the token. `draw(context,
 * seen)` draws on the canvas, where seen is {first, last, width, height, y: (place) => its middle}.
 */
function attentionRows(columns, draw) {
  const { element, data } = bertha;
  const kManyTokens = 120;
  const kBlock = 32; // rows that the browser leaves out together while none of them is seen
  const height = data.tokens.length > kManyTokens ? 18 : 24;

  const cells = data.tokens.map((_, place) => columns.map(({ name, text, side }) =>
    element('span', { class: name, 'data-side': side, title: side && text(place) }, text?.(place) ?? '')));
  const canvas = element('canvas', { 'aria-hidden': 'true' });
  const rows = cells.map((row, place) => element('div', { class: 'row', 'data-place': place }, row));
  const blocks = Array.from({ length: Math.ceil(rows.length / kBlock) }, (_, i) => {
    const block = element('div', { class: 'block' }, rows.slice(i * kBlock, (i + 1) * kBlock));
    block.style.height = `${block.children.length * height}px`;
    return block;
  });
  const list = element('div', { class: 'row-list' }, blocks);
  const inner = element('div', { class: 'rows-inner' }, canvas, list);
  const outer = element('div', { class: 'rows', tabindex: 0 }, inner);
  outer.style.setProperty('--row-height', `${height}px`);
  outer.style.setProperty('--rows', data.tokens.length);

  // What reading would make the browser lay out anew, known from the last change of size or place.
  let top = 0;
  let edgesOfColumns = columns.map(() => ({ left: 0, right: 0 }));

  function resize() {
    edgesOfColumns = cells[0].map((cell) => ({ left: cell.offsetLeft, right: cell.offsetLeft + cell.offsetWidth }));
    const ratio = devicePixelRatio;
    const size = { width: outer.clientWidth, height: Math.min(outer.clientHeight, inner.clientHeight) };
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    canvas.style.width = `${size.width}px`;
    canvas.style.height = `${size.height}px`;
  }

  let waiting = false;
  function drawNow() {
    waiting = false;
    const ratio = devicePixelRatio;
    const seen = {
      width: canvas.width / ratio,
      height: canvas.height / ratio,
      first: Math.floor(top / height),
      last: Math.min(cells.length, Math.ceil((top + canvas.height / ratio) / height)),
      y: (place) => (place + 0.5) * height - top,
    };
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, seen.width, seen.height);
    draw(context, seen);
  }
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(drawNow);
  }

  function tokenAt(event) {
    const cell = event.target.closest?.('[data-side]');
    return cell ? { side: cell.dataset.side, place: Number(cell.parentElement.dataset.place) } : null;
  }
  list.addEventListener('pointerover', (event) => {
    if (event.pointerType === 'mouse') attentionState.hover(tokenAt(event));
  });
  list.addEventListener('pointerleave', () => attentionState.hover(null));
  list.addEventListener('click', (event) => {
    const token = tokenAt(event);
    if (token) attentionState.toggleToken(token);
  });
  outer.addEventListener('scroll', () => {
    top = outer.scrollTop;
    redraw();
  }, { passive: true });
  new ResizeObserver(() => {
    resize();
    redraw();
  }).observe(outer);

  /** A column's left and right edge. */
  const edges = (column) => edgesOfColumns[column];
  function scrollTo(place) {
    const begin = place * height;
    if (begin < outer.scrollTop || begin + height > outer.scrollTop + outer.clientHeight) {
      outer.scrollTop = begin - outer.clientHeight / 2;
    }
  }
  function write(place, column, content) {
    const cell = cells[place][column];
    if (cell.textContent !== content) cell.textContent = content;
  }

  return { element: outer, rowHeight: height, redraw, edges, write, scrollTo };
}
