'use strict';

/** Puts the page together: what the address says is what is shown, and what somebody does goes into the address. */
(async () => {
  const { data, element, state, setState } = bertha;
  const kViewDigits = 4;

  const main = bertha.frame(data.title);
  const waiting = element('p', { class: 'muted' }, 'Unpacking the map …');
  main.append(waiting);
  const points = await loadPoints();
  const colors = createColors(points);

  // ---- The state, with what is missing or wrong in it mended

  const wholeNumber = (text, end) => (/^\d+$/.test(text ?? '') && Number(text) < end ? Number(text) : null);
  const numbers = (text) => (text ?? '').split(',').map(Number);

  function view() {
    const most = data.explained.length;
    const x = wholeNumber(state.x, most + 1) || 1;
    const y = wholeNumber(state.y, most + 1) || Math.min(2, most);
    return { map: state.map === 'pca' ? 'pca' : 'umap', x: x - 1, y: y - 1 };
  }
  const picked = () => wholeNumber(state.point, points.count);
  const colorName = () => (state.color === '' || points.column(state.color) ? state.color : data.color);
  const hiddenGroups = () => new Set((state.off ?? '').split('.').filter(Boolean).map(Number));

  /** Where the view is: nothing for the whole. */
  function place() {
    const [x, y, k] = numbers(state.at);
    return Number.isFinite(x) && Number.isFinite(y) && k > 0 ? { x, y, k } : { x: 0, y: 0, k: 1 };
  }

  const sameView = (a, b) => a.map === b.map && (a.map === 'umap' || (a.x === b.x && a.y === b.y));

  /** Of a selection by an area: the view it was drawn in and its corners. */
  function area() {
    const [map, x, y, ...corners] = (state.select ?? '').split('_');
    const polygon = corners.map(numbers);
    const valid = ['umap', 'pca'].includes(map) && polygon.length > 2 && polygon.flat().every(Number.isFinite);
    return valid ? { view: { map, x: Number(x), y: Number(y) }, polygon } : null;
  }

  function selectedPoints(matches, hidden, codes) {
    if (state.select === 'matches') return matches;
    if (state.select === 'near' && picked() !== null) {
      return [picked(), ...points.neighborsOf(picked()).map(({ point }) => point)];
    }
    const drawn = area();
    if (!drawn) return [];
    const { x, y } = points.places(drawn.view);
    return d3.range(points.count).filter((point) => !hidden.has(codes[point]) && d3.polygonContains(drawn.polygon, [x[point], y[point]]));
  }

  // ---- What somebody does

  const rounded = (number) => Number(number.toPrecision(kViewDigits));

  function describe(point) {
    const facts = points.columns.map((column) => `${column.name} ${labels.shorten(points.cellText(column, point))}`);
    const near = points.neighborsOf(point).slice(0, 5)
      .map((one) => `${labels.shorten(points.names[one.point])} ${one.cosine.toFixed(2)}`);
    return `${points.names[point] || '(empty)'}\n${facts.join(' · ')}\nnear: ${near.join(', ')}`;
  }

  function selectArea(corners) {
    const { map, x, y } = view();
    setState({ select: [map, x, y, ...corners.map((corner) => corner.map(rounded).join(','))].join('_') });
  }

  function toggleGroup(code) {
    const hidden = hiddenGroups();
    if (!hidden.delete(code)) hidden.add(code);
    setState({ off: hidden.size ? [...hidden].join('.') : null });
  }

  function pick(point) {
    setState({ point });
    if (point !== null) map.reveal(point);
  }

  /** Another map, as a whole. */
  function showMap(change) {
    setState({ ...change, at: null });
    map.show(place());
  }

  const labels = createLabels(points.names);
  const map = createMap(points, {
    point: pick, area: selectArea, describe,
    view: (at) => setState({ at: at && [at.x, at.y, at.k].map(rounded).join(',') }),
  });
  const panel = createPanel(points, {
    point: pick, search: (text) => setState({ q: text || null }), color: (name) => setState({ color: name, off: null }),
    hide: toggleGroup, select: (what) => setState({ select: what }),
  });
  const selection = createSelection(points, { point: pick, select: (what) => setState({ select: what }) });

  // ---- Controls above the map

  const button = (id, text, title, onclick) => element('button', { type: 'button', id, title, onclick }, text);
  const maps = ['umap', 'pca'].map((name) => button(`map-${name}`, name.toUpperCase(),
    name === 'umap' ? 'Keeps neighbours together' : 'Directions of the greatest variance',
    () => showMap({ map: name })));
  const componentSelect = (axis) => element('select', {
    id: `axis-${axis}`, onchange: (event) => showMap({ [axis]: event.target.value }),
  }, ...data.explained.map((share, i) => element('option', { value: i + 1 }, `${i + 1} (${bertha.percent(share)})`)));
  const axisSelects = ['x', 'y'].map(componentSelect);
  const axes = element('span', { class: 'group' }, element('label', {}, 'across ', axisSelects[0]),
    element('label', {}, 'up ', axisSelects[1]));
  const tools = ['move', 'rectangle', 'lasso'].map((name) => button(`tool-${name}`, name[0].toUpperCase() + name.slice(1),
    name === 'move' ? 'Drag to move' : 'Drag around points to select them', () => setTool(name)));
  const group = (label, ...nodes) => element('span', { class: 'group', role: 'group', 'aria-label': label }, ...nodes);

  function setTool(name) {
    map.setTool(name);
    tools.forEach((one) => one.setAttribute('aria-pressed', String(one.id === `tool-${name}`)));
  }

  const controls = element('div', { class: 'controls' }, group('Map', ...maps), axes, group('Tool', ...tools),
    group('Zoom', button('zoom-in', '+', 'Zoom in', () => map.zoomBy(1.5)),
      button('zoom-out', '−', 'Zoom out', () => map.zoomBy(1 / 1.5)), button('whole', 'Fit', 'Show all', map.whole)),
    group('Save', button('save-svg', 'SVG', 'Save the map as SVG', () => bertha.download('map.svg', new Blob([map.toSvg()], { type: 'image/svg+xml' }))),
      button('save-png', 'PNG', 'Save the map as PNG', () => bertha.saveCanvas('map.png', map.canvas))));
  const reading = element('p', { id: 'reading', class: 'muted' });

  function readingText({ map: name }) {
    const { neighbors, points: sample, kept, trustworthiness } = data.quality[name];
    const what = name === 'umap' ? 'UMAP: near on the map means similar; distances between far groups, their sizes and directions mean little.'
      : 'PCA: a projection onto directions of great variance; distances are true but for what lies in the other directions.';
    return `${what} Of the ${neighbors} nearest neighbours by cosine this map${name === 'pca' ? ' (components 1 and 2)' : ''} keeps ${bertha.percent(kept)}; `
      + `trustworthiness ${trustworthiness.toFixed(3)} of 1, measured at ${sample.toLocaleString('en')} ${data.unit}s.`;
  }

  // ---- From the state to the page

  let placed = null;

  function apply() {
    const now = view();
    if (!placed || !sameView(placed, now)) map.setPlaces(points.places(now));
    placed = now;
    maps.forEach((one) => one.setAttribute('aria-pressed', String(one.id === `map-${now.map}`)));
    axes.hidden = now.map !== 'pca';
    axisSelects.forEach((select, i) => { select.value = [now.x, now.y][i] + 1; });
    reading.textContent = readingText(now);
    const coloring = colors.of(points.column(colorName()));
    const hidden = hiddenGroups();
    const query = state.q ?? '';
    const matches = points.search(query);
    const selected = selectedPoints(matches, hidden, coloring.codes);
    const bright = query.trim() ? matches : selected.length ? selected : null;
    const title = (index) => `Component ${index + 1} (${bertha.percent(data.explained[index])} of the variance)`;
    const drawn = area();
    map.setLook({
      ...createLook(points, { coloring, hidden, bright }), first: bright ?? [], point: picked(),
      area: drawn && sameView(drawn.view, now) ? drawn.polygon : null,
      axes: now.map === 'pca' ? [title(now.x), title(now.y)] : null,
    });
    map.canvas.setAttribute('aria-label', `${now.map.toUpperCase()} map of ${points.count} ${data.unit}s. Arrows move, + and - zoom, 0 shows all, Enter picks the point in the middle.`);
    panel.showMatches(query, matches);
    panel.showColors(colorName() ?? '', coloring, hidden);
    panel.showPoint(picked());
    panel.showVariance(now);
    selection.show(selected, state.select !== undefined);
  }

  waiting.remove();
  main.append(element('p', { class: 'muted' }, `${data.points.toLocaleString('en')} ${data.description}`), controls,
    element('div', { class: 'layout' }, element('div', { class: 'column' }, map.stage, reading, selection.section), panel.panel));
  setTool('move');
  apply();
  map.show(place());
  bertha.onState(apply);
  window.addEventListener('hashchange', () => map.show(place()));
  document.documentElement.dataset.ready = 'yes';
})();
