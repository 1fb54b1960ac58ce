'use strict';

/** What stands beside the map: search, colours with their legend, the point that was picked, and explained variance. */
function createPanel(points, on) {
  const kMostMatches = 50;
  const { element } = bertha;
  const unit = bertha.data.unit;
  const plural = (count) => `${count.toLocaleString('en')} ${unit}${count === 1 ? '' : 's'}`;

  const context = points.column('text'); // where a token stands
  const contextOf = (point) => (context ? points.cell(context, point) : '');

  function pointButton(point, ...more) {
    const title = [points.names[point], contextOf(point)].filter(Boolean).join(' in: ');
    return element('button', { type: 'button', class: 'point', title, onclick: () => on.point(point) },
      element('span', { class: 'name' }, points.names[point] || '(empty)'), ...more);
  }

  // ---- Search

  const query = element('input', {
    type: 'search', id: 'search', placeholder: `Find a ${unit}`, autocomplete: 'off', spellcheck: 'false',
    'aria-label': `Find a ${unit}`, oninput: () => on.search(query.value),
    onkeydown: (event) => { if (event.key === 'Enter') matchList.querySelector('button')?.click(); },
  });
  const matchCount = element('span', { id: 'match-count', class: 'muted', role: 'status' });
  const takeMatches = element('button', { type: 'button', id: 'take-matches', onclick: () => on.select('matches') }, 'Select all');
  const matchList = element('ul', { id: 'matches', class: 'points' });
  const searchSection = element('section', {}, element('h2', {}, 'Search'), query,
    element('div', { class: 'controls' }, matchCount, takeMatches), matchList);

  let shownText = null;
  function showMatches(text, matches) {
    if (text === shownText) return;
    shownText = text;
    if (query.value !== text) query.value = text;
    const empty = text.trim() === '';
    matchCount.textContent = empty ? '' : `${plural(matches.length)} found`;
    takeMatches.hidden = matches.length === 0;
    matchList.hidden = matches.length === 0;
    matchList.replaceChildren(...matches.slice(0, kMostMatches).map((point) => element('li', {},
      pointButton(point, context ? element('span', { class: 'muted context' }, contextOf(point)) : null))));
  }

  // ---- Colours

  const choice = element('select', { id: 'color', onchange: () => on.color(choice.value) },
    element('option', { value: '' }, 'one colour'),
    ...points.columns.map(({ name }) => element('option', { value: name }, name)));
  const legend = element('div', { id: 'legend' });
  const colorSection = element('section', {}, element('h2', {}, 'Colour'), element('label', {}, 'by ', choice), legend);

  function swatch(color) {
    const node = element('span', { class: 'swatch' });
    node.style.background = String(color);
    return node;
  }

  function nameEntry(coloring, hidden, { name, count }, code) {
    return element('button', {
      type: 'button', class: 'entry', 'aria-pressed': String(!hidden.has(code)), title: 'Show or hide', 'data-code': code,
      onclick: () => on.hide(code),
    }, swatch(coloring.colors[code]), element('span', { class: 'name' }, name),
    element('span', { class: 'muted' }, count.toLocaleString('en')));
  }

  function rangeLegend({ colors, range }) {
    const short = (number) => String(Number(number.toPrecision(4)));
    const bar = element('div', { class: 'ramp' }, ...colors.map(swatch));
    const low = (range.least < range.low ? '≤ ' : '') + short(range.low);
    const high = (range.most > range.high ? '≥ ' : '') + short(range.high);
    return [bar, element('div', { class: 'ends' }, element('span', {}, low), element('span', {}, high))];
  }

  function showColors(name, coloring, hidden) {
    choice.value = name;
    const { names, range } = coloring;
    const focused = legend.contains(document.activeElement) ? document.activeElement.dataset.code : null;
    if (names) legend.replaceChildren(...names.map((entry, code) => nameEntry(coloring, hidden, entry, code)));
    else legend.replaceChildren(...(range ? rangeLegend(coloring) : []));
    if (focused) legend.querySelector(`[data-code="${focused}"]`)?.focus();
  }

  // ---- The point that was picked

  const pointSection = element('section', { id: 'picked', tabindex: -1, 'aria-live': 'polite' });
  const hint = () => element('p', { class: 'muted' },
    `Click a point to see what is known of it and which ${unit}s are nearest to it.`);

  function neighborItem({ point, cosine }) {
    const bar = element('span', { class: 'meter' }, element('span', {}));
    bar.firstChild.style.width = `${Math.max(0, 100 * cosine)}%`;
    return element('li', {}, pointButton(point, bar, element('span', { class: 'number' }, cosine.toFixed(3))));
  }

  let shownPoint;
  function showPoint(point) {
    if (point === shownPoint) return;
    shownPoint = point;
    const focused = pointSection.contains(document.activeElement);
    pointSection.replaceChildren(...pointParts(point));
    if (focused) pointSection.focus();
  }

  function pointParts(point) {
    const title = element('h2', {}, point === null ? 'Point' : 'Picked: ');
    if (point === null) return [title, hint()];
    title.append(element('span', { class: 'name' }, points.names[point] || '(empty)'));
    const facts = points.columns.flatMap((column) => [
      element('dt', {}, column.name), element('dd', {}, points.cellText(column, point)),
    ]);
    const buttons = element('div', { class: 'controls' },
      element('button', { type: 'button', id: 'take-near', onclick: () => on.select('near') }, 'Select with neighbours'),
      element('button', { type: 'button', id: 'unpick', onclick: () => on.point(null) }, 'Clear'));
    const neighbors = points.neighborsOf(point);
    return [title, element('dl', { class: 'facts' }, ...facts), buttons,
      element('h3', {}, `The ${neighbors.length} nearest, by cosine`),
      element('ol', { id: 'neighbors', class: 'points' }, ...neighbors.map(neighborItem))];
  }

  // ---- Explained variance

  const variance = element('section', { id: 'variance' });

  function varianceRow(share, index, axes) {
    const { explained } = bertha.data;
    const bar = element('span', { class: 'meter' }, element('span', {}));
    bar.firstChild.style.width = `${100 * share / (explained[0] || 1)}%`;
    const upToHere = d3.sum(explained.slice(0, index + 1));
    return element('tr', { class: axes.includes(index) ? 'used' : '' }, element('td', { class: 'number' }, index + 1),
      element('td', {}, bar), element('td', { class: 'number' }, bertha.percent(share)), element('td', { class: 'number' }, bertha.percent(upToHere)));
  }

  function showVariance(view) {
    variance.hidden = view.map !== 'pca';
    variance.replaceChildren(element('h2', {}, 'Explained variance'),
      element('table', {}, element('thead', {}, element('tr', {}, ...['', 'Component', 'share', 'sum']
        .map((name, i) => element('th', { class: i === 1 ? '' : 'number' }, name)))),
      element('tbody', {}, ...bertha.data.explained.map((share, index) => varianceRow(share, index, [view.x, view.y])))));
  }

  const panel = element('aside', { class: 'panel' }, searchSection, colorSection, pointSection, variance);
  return { panel, query, showMatches, showColors, showPoint, showVariance };
}
