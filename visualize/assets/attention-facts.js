'use strict';

/** The table of what each head does, and one of its columns as a picture. */
const attentionFactsView = (() => {
  const { element, data, state, setState } = bertha;
  const { models } = attentionData;

  const kFacts = [
    { key: 'entropy', title: 'Entropy', unit: 'nats', place: 0, show: (x) => x.toFixed(3) },
    { key: 'distance', title: 'Mean distance', unit: 'tokens', place: 1, show: (x) => x.toFixed(2) },
    ...(data.firstName ? [{ key: 'first', title: `On ${data.firstName}`, unit: '%', place: 2, show: (x) => (100 * x).toFixed(2) }] : []),
    ...(data.separatorName ? [{ key: 'separator', title: `On ${data.separatorName}`, unit: '%', place: 3, show: (x) => (100 * x).toFixed(2) }] : []),
    { key: 'largest', title: 'Largest weight', unit: '', place: 4, show: (x) => x.toFixed(4) },
  ];

  /** Columns of the table: layer, head, and each fact of each model. */
  const columns = [
    { key: 'layer', title: 'Layer', value: (row) => row.layer, show: String },
    { key: 'head', title: 'Head', value: (row) => row.head, show: String },
    ...kFacts.flatMap((fact) => models.map((model) => ({
      key: fact.key + (models.length > 1 ? bertha.letter(model.index) : ''),
      title: fact.title + (models.length > 1 ? ` ${bertha.letter(model.index)}` : ''),
      unit: fact.unit,
      value: (row) => model.facts[row.layer]?.[row.head]?.[fact.place] ?? null,
      show: (x) => (x === null ? '–' : fact.show(x)),
      fact, model,
    }))),
  ];
  const rows = [];
  for (let layer = 0; layer < attentionState.layers; ++layer) {
    for (let head = 0; head < attentionState.heads; ++head) rows.push({ layer, head });
  }

  const sorted = () => columns.find(({ key }) => key === state.sort) ?? columns[0];
  const isDescending = () => state.order === 'descending';
  function sortBy(column) {
    const again = column === sorted();
    setState({ sort: column.key, order: again && !isDescending() ? 'descending' : 'ascending' });
  }

  const headerCells = columns.map((column) => {
    const button = element('button', { type: 'button', onclick: () => sortBy(column) }, column.title);
    return element('th', { scope: 'col', class: 'number' }, button, element('span', { class: 'unit muted' }));
  });
  const body = element('tbody', {});
  const table = element('table', { class: 'facts' }, element('thead', {}, element('tr', {}, headerCells)), body);
  const rowElements = new Map(rows.map((row) => [row, element('tr', { tabindex: 0,
    onclick: () => choose(row), onkeydown: (event) => event.key === 'Enter' && choose(row) },
  columns.map((column) => element('td', { class: 'number' }, column.show(column.value(row)))))]));
  const choose = ({ layer, head }) => setState({ layer, heads: head, view: 'heads' });

  const caption = element('h3', {});
  const pictures = models.map(() => element('canvas', { class: 'fact-grid', role: 'img' }));
  const legend = element('div', { class: 'legend' });
  const grids = element('div', { class: 'fact-grids' }, models.map((model, i) => element('figure', {},
    models.length > 1 ? element('figcaption', {}, `${bertha.letter(i)}  ${model.name}`) : null, pictures[i])));
  const view = element('div', { class: models.length > 1 ? 'facts-view several' : 'facts-view' },
    element('div', {}, caption, grids, legend), element('div', { class: 'scroll facts-scroll' }, table));

  /** Where nothing is known of one, it comes last. */
  function compare(column, direction) {
    return (a, b) => {
      const left = column.value(a), right = column.value(b);
      if (left === null || right === null) return (left === null) - (right === null);
      return direction * (left - right) || a.layer - b.layer || a.head - b.head;
    };
  }

  function update() {
    const column = sorted(), direction = isDescending() ? -1 : 1;
    headerCells.forEach((cell, i) => {
      const is = columns[i] === column;
      cell.setAttribute('aria-sort', is ? (direction < 0 ? 'descending' : 'ascending') : 'none');
      cell.lastChild.textContent = [is ? (direction < 0 ? '↓' : '↑') : '', columns[i].unit ?? ''].join(' ');
    });
    body.replaceChildren(...[...rows].sort(compare(column, direction)).map((row) => rowElements.get(row)));
    for (const [row, tr] of rowElements) {
      tr.classList.toggle('chosen', row.layer === attentionState.layer() && row.head === attentionState.head());
    }
    drawGrids(column.fact ?? kFacts[0]);
  }

  // ---- The picture

  let drawn = kFacts[0], largest = 1;
  function drawGrids(fact) {
    drawn = fact;
    largest = Math.max(1e-30, ...models.flatMap((model) => model.facts.flat().map((facts) => facts[fact.place])));
    caption.textContent = fact.title + (fact.unit ? `, ${fact.unit}` : '');
    models.forEach((model, i) => drawGrid(model, pictures[i]));
    attentionDraw.showRamp(legend, ['0', `${fact.show(largest)} ${fact.unit}`]);
  }
  function gridPicture(model) {
    const colors = attentionDraw.ramp();
    return attentionDraw.pixels(model.heads, model.layers, (i) =>
      colors[Math.round(255 * model.facts[Math.floor(i / model.heads)][i % model.heads][drawn.place] / largest)]);
  }
  const kCell = 22, kLeft = 26, kTop = 20;
  function drawGrid(model, canvas) {
    const ratio = devicePixelRatio, width = kLeft + model.heads * kCell, height = kTop + model.layers * kCell;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.setAttribute('aria-label', `${caption.textContent} of ${model.layers} layers by ${model.heads} heads`);
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(gridPicture(model), kLeft, kTop, model.heads * kCell, model.layers * kCell);
    context.font = `11px ${attentionDraw.kFont}`;
    context.fillStyle = bertha.color('text');
    context.textBaseline = 'middle';
    context.textAlign = 'center';
    for (let head = 0; head < model.heads; ++head) context.fillText(head, kLeft + (head + 0.5) * kCell, kTop / 2);
    context.textAlign = 'right';
    for (let layer = 0; layer < model.layers; ++layer) context.fillText(layer, kLeft - 6, kTop + (layer + 0.5) * kCell);
  }
  pictures.forEach((canvas, i) => {
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      const layer = Math.floor((event.clientY - box.top - kTop) / kCell), head = Math.floor((event.clientX - box.left - kLeft) / kCell);
      return models[i].facts[layer]?.[head] ? { layer, head } : null;
    };
    canvas.addEventListener('pointermove', (event) => {
      const place = at(event);
      if (!place) return bertha.hideTip();
      const value = models[i].facts[place.layer][place.head][drawn.place];
      bertha.showTip(event, `Layer ${place.layer}, head ${place.head}\n${drawn.title} ${drawn.show(value)} ${drawn.unit}`);
    });
    canvas.addEventListener('pointerleave', bertha.hideTip);
    canvas.addEventListener('click', (event) => at(event) && choose(at(event)));
  });

  // ---- Files

  function drawings() {
    return models.map((model) => {
      const kBig = 32, { text } = attentionDraw;
      const nodes = [attentionDraw.picture(gridPicture(model), kLeft, kTop, model.heads * kBig, model.layers * kBig)];
      for (let head = 0; head < model.heads; ++head) nodes.push(text(kLeft + (head + 0.5) * kBig, kTop / 2, head, { 'text-anchor': 'middle' }));
      for (let layer = 0; layer < model.layers; ++layer) nodes.push(text(kLeft - 6, kTop + (layer + 0.5) * kBig, layer, { 'text-anchor': 'end' }));
      return { title: `${model.name} · ${caption.textContent}, 0 to ${drawn.show(largest)}`, nodes,
        width: Math.max(320, kLeft + model.heads * kBig), height: kTop + model.layers * kBig };
    });
  }
  function tsv() {
    return bertha.tsv([columns.map(({ key }) => key), ...rows.map((row) => columns.map((column) => column.value(row) ?? ''))]);
  }

  return { element: view, update, drawings, tsv };
})();
