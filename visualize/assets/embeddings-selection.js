'use strict';

/** The points that were selected, as a table to look at, to copy and to download. */
function createSelection(points, on) {
  const kMostRows = 200;
  const { element } = bertha;
  let selected = [];

  const button = (id, text, onclick) => element('button', { type: 'button', id, onclick }, text);
  const count = element('span', { id: 'selected-count', role: 'status' });
  const copyButton = button('copy', 'Copy table', copy);
  const buttons = element('div', { class: 'controls' }, count, copyButton,
    button('download-table', 'Download table', () => save('selected.tsv', table(['name', ...names()], rowText))),
    button('download-projector', 'Download for the projector', downloadForProjector),
    button('unselect', 'Clear', () => on.select(null)));
  const holder = element('div', { class: 'scroll' });
  const hint = element('p', { class: 'muted' },
    'Choose Rectangle or Lasso above the map and drag around points, or hold Shift and drag, to list them here.');
  const section = element('section', { id: 'selection' }, element('h2', {}, 'Selection'), hint, buttons, holder);

  const names = () => points.columns.map(({ name }) => name);
  const rowText = (point) => [points.names[point], ...points.columns.map((column) => points.cell(column, point))];

  /** Tab-separated values: a line of names, unless there is but one column, as the projector wants it. */
  function table(header, row) {
    const lines = selected.map(row);
    if (header) lines.unshift(header);
    return bertha.tsv(lines);
  }

  function save(name, text) {
    bertha.download(name, new Blob([text], { type: 'text/tab-separated-values' }));
  }

  /** What the page has of their vectors: the principal components. */
  function downloadForProjector() {
    save('vectors.tsv', table(null, points.componentsOf));
    save('metadata.tsv', table(['name', ...names()], rowText));
  }

  async function copy() {
    const text = table(['name', ...names()], rowText);
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    copyButton.textContent = copied || copyByHand(text) ? 'Copied' : 'Not copied';
    setTimeout(() => { copyButton.textContent = 'Copy table'; }, 1500);
  }

  /** For browsers that keep the clipboard from pages that were opened from disk. */
  function copyByHand(text) {
    const area = element('textarea', { class: 'offscreen' });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }

  function rowOf(point) {
    const cells = points.columns.map((column) => element('td', { class: column.numbers ? 'number' : '' },
      points.cellText(column, point)));
    return element('tr', {}, element('td', {}, element('button', { type: 'button', class: 'link', onclick: () => on.point(point) },
      points.names[point] || '(empty)')), ...cells);
  }

  /** `asked`: whether somebody selected anything, if only a place without points. */
  function show(list, asked) {
    selected = list;
    buttons.hidden = !asked;
    hint.hidden = asked;
    if (list.length === 0) holder.replaceChildren();
    else showRows(list);
    count.textContent = `${list.length.toLocaleString('en')} selected`;
  }

  function showRows(list) {
    const header = ['name', ...names()].map((name, i) => element('th', { class: i && points.columns[i - 1].numbers ? 'number' : '' }, name));
    const rest = list.length - kMostRows;
    holder.replaceChildren(...[element('table', {}, element('thead', {}, element('tr', {}, ...header)),
      element('tbody', {}, ...list.slice(0, kMostRows).map(rowOf))),
    rest > 0 ? element('p', { class: 'muted' }, `and ${rest.toLocaleString('en')} more; copies and downloads have all`) : null]
      .filter(Boolean));
  }

  return { section, show };
}
