'use strict';

/** Which label was taken for which: a matrix that can be clicked, saved, and walked through by keys. */
const confusion = (() => {
  const { element, svg } = bertha;
  const kMostLabels = 100;

  const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  /** Counts by row of gold and column of predicted labels. */
  function counts({ labels, confusion: cells }) {
    const matrix = labels.map(() => labels.map(() => 0));
    cells.forEach(([gold, predicted, count]) => { matrix[gold][predicted] = count; });
    return matrix;
  }

  function describe(labels, gold, predicted, count, total) {
    const name = (label) => (labels[label] === '' ? 'none' : labels[label]);
    const share = total > 0 ? `, ${metrics.percent(count / total)} of ${metrics.whole(total)}` : '';
    return `gold ${name(gold)}, predicted ${name(predicted)}: ${metrics.whole(count)}${share}`;
  }

  function drawCell({ labels }, matrix, gold, predicted, size, left, top, ask) {
    const count = matrix[gold][predicted];
    const total = d3.sum(matrix[gold]);
    const share = total > 0 ? count / total : 0;
    const text = describe(labels, gold, predicted, count, total);
    const choose = () => ask(labels[gold], labels[predicted]);
    const node = svg('g', {
      class: `cell${gold === predicted ? ' right' : ''}`, role: 'button', 'aria-label': text, tabindex: gold + predicted === 0 ? 0 : -1,
      'data-gold': gold, 'data-predicted': predicted, transform: `translate(${left + predicted * size} ${top + gold * size})`,
      onclick: choose, onpointermove: (event) => bertha.showTip(event, text), onpointerleave: bertha.hideTip,
    }, svg('rect', { class: 'back', width: size - 1, height: size - 1 }),
    svg('rect', { class: 'share', width: size - 1, height: size - 1, 'fill-opacity': count > 0 ? 0.08 + 0.92 * share : 0 }));
    if (size >= 22 && count > 0) {
      node.append(svg('text', { class: share > 0.5 ? 'on' : null, x: (size - 1) / 2, y: size / 2 + 4, 'text-anchor': 'middle' },
        count < 10000 ? String(count) : d3.format('.2~s')(count)));
    }
    return node;
  }

  /** Arrow keys walk from cell to cell, Enter chooses one. */
  function listenToKeys(drawing, size) {
    const moves = new Map([['ArrowLeft', [0, -1]], ['ArrowRight', [0, 1]], ['ArrowUp', [-1, 0]], ['ArrowDown', [1, 0]]]);
    drawing.addEventListener('keydown', (event) => {
      const cell = event.target.closest('.cell');
      if (!cell) return;
      if (event.key === 'Enter' || event.key === ' ') cell.dispatchEvent(new MouseEvent('click'));
      else if (!moves.has(event.key)) return;
      event.preventDefault();
      const [down, right] = moves.get(event.key) ?? [0, 0];
      const bound = (value) => Math.max(0, Math.min(size - 1, value));
      const next = drawing.querySelector(`[data-gold="${bound(Number(cell.dataset.gold) + down)}"][data-predicted="${bound(Number(cell.dataset.predicted) + right)}"]`);
      cell.setAttribute('tabindex', -1);
      next.setAttribute('tabindex', 0);
      next.focus();
    });
  }

  function draw(analysis, ask) {
    const { labels } = analysis;
    const matrix = counts(analysis);
    const size = labels.length <= 12 ? 40 : labels.length <= 30 ? 26 : 14;
    const names = labels.map((label) => (label === '' ? 'none' : label));
    const most = 22;
    const room = Math.max(56, 12 + 6.8 * Math.min(most, d3.max(names, (name) => name.length)));
    const extent = labels.length * size;
    const width = room + extent + 24;
    const height = 24 + room + extent;
    const drawing = svg('svg', { class: 'confusion', width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': 'Confusion of labels: rows are gold, columns predicted' });
    drawing.append(svg('text', { class: 'axis-label', x: room, y: 12 }, 'predicted →'),
      svg('text', { class: 'axis-label', x: room - 8, y: room + 12, 'text-anchor': 'end' }, 'gold ↓'));
    names.forEach((name, index) => drawing.append(
      svg('text', { x: room - 8, y: 24 + room + index * size + size / 2 + 3, 'text-anchor': 'end' }, shortened(name, most), svg('title', {}, name)),
      svg('text', { transform: `translate(${room + index * size + size / 2 + 3} ${18 + room}) rotate(-90)` }, shortened(name, most), svg('title', {}, name))));
    labels.forEach((_, gold) => labels.forEach((__, predicted) => drawing.append(
      drawCell(analysis, matrix, gold, predicted, size, room, 24 + room, ask))));
    listenToKeys(drawing, labels.length);
    return drawing;
  }

  /** The matrix, where it is small enough to be looked at; `asked()` is the pair of labels that is chosen, `ask` chooses. */
  function create(analysis, asked, ask) {
    const { labels } = analysis;
    if (labels.length > kMostLabels) {
      return element('p', { class: 'muted' }, `${metrics.whole(labels.length)} labels are too many for a matrix.`);
    }
    const drawing = draw(analysis, ask);
    const mark = () => drawing.querySelectorAll('.cell').forEach((cell) => {
      const chosen = asked()?.gold === labels[cell.dataset.gold] && asked()?.predicted === labels[cell.dataset.predicted];
      cell.setAttribute('aria-pressed', chosen);
    });
    mark();
    bertha.onState(mark);
    const save = (how, ending) => () => how(`confusion.${ending}`, drawing);
    return element('div', {}, element('p', { class: 'muted' }, 'The stronger a colour, the larger the share of the gold label. Choose a cell to read its mistakes.'),
      element('div', { class: 'scroll' }, drawing),
      element('p', { class: 'buttons' },
        element('button', { type: 'button', class: 'small', onclick: save(bertha.saveSvg, 'svg') }, 'SVG'),
        element('button', { type: 'button', class: 'small', onclick: save(bertha.savePng, 'png') }, 'PNG')));
  }

  return { create };
})();
