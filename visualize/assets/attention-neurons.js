'use strict';

/** The view of one query's numbers: its vector, each key's, their products, and the scores and weights they sum to. */
function attentionNeuronPanel(model) {
  const { element, data, showTip, hideTip } = bertha;
  const { tokens } = data;
  const size = model.headSize;
  const kKey = 0, kVector = 1, kProduct = 2, kScore = 3, kWeight = 4; // columns

  const queryName = element('span', { class: 'token' });
  const queryStrip = element('canvas', { class: 'strip', role: 'img', 'aria-label': 'The query’s numbers' });
  const headings = element('div', { class: 'row neuron-header' },
    queryName, queryStrip, element('span', { class: 'muted' }, ''), element('span', {}, ''), element('span', {}, ''));
  const names = element('div', { class: 'row neuron-names muted' },
    ['key token', 'key k', 'q × k, each dimension', 'score', 'weight'].map((name) => element('span', {}, name)));
  const rows = attentionRows([
    { name: 'token key', side: 'query', text: (place) => tokens[place] }, { name: 'strip-space' }, { name: 'strip-space' },
    { name: 'weight score' }, { name: 'weight' },
  ], draw);
  const note = element('p', { class: 'note' });
  const panel = element('div', { class: 'panel neurons' }, headings, names, rows.element, note);

  let layer = null, head = 0, query = 0, sums = null, weights = null, largest = null;

  async function update() {
    const number = attentionState.layer();
    const exists = number < model.layers && attentionState.head() < model.heads;
    const loaded = exists ? await model.layer(number) : null;
    if (number !== attentionState.layer()) return;
    layer = loaded;
    panel.classList.toggle('empty', !layer);
    if (!layer) {
      note.textContent = attentionDraw.missing(model);
      return;
    }
    head = attentionState.head();
    query = attentionState.query();
    sums = layer.products(head, query);
    weights = layer.weights(head, query);
    largest = largestSizes();
    note.textContent = describe();
    queryName.textContent = `query ${attentionDraw.named(query)}`;
    drawQuery();
    rows.redraw();
  }

  const sizeOf = (vector) => vector.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);

  /** Of the numbers of each kind, over all keys. */
  function largestSizes() {
    const q = layer.query(head, query);
    let key = 1e-30, product = 1e-30;
    for (let place = 0; place < tokens.length; ++place) {
      const k = layer.key(head, place);
      for (let d = 0; d < size; ++d) {
        key = Math.max(key, Math.abs(k[d]));
        product = Math.max(product, Math.abs(q[d] * k[d]));
      }
    }
    return { query: sizeOf(q), key, product, weight: weights.reduce((a, b) => Math.max(a, b), 0) };
  }

  function describe() {
    const [q, k, product] = [largest.query, largest.key, largest.product].map((x) => x.toFixed(2));
    return `Blue is positive, orange negative; full colour at ${q} (q), ${k} (k), ${product} (q × k). `
      + `Score = sum of q × k / √${size}; weight = softmax of the scores.`;
  }

  const kShades = 32; // of each sign
  function shades() {
    return Array.from({ length: 2 * kShades + 1 }, (_, i) => attentionDraw.signed((i - kShades) / kShades));
  }
  const shadeOf = (all, share) => all[Math.round(Math.max(-1, Math.min(1, share)) * kShades) + kShades];

  function drawStrip(context, all, value, most, left, top, width, height) {
    const step = width / size;
    for (let d = 0; d < size; ++d) {
      context.fillStyle = shadeOf(all, value(d) / most);
      context.fillRect(left + d * step, top, Math.ceil(step), height);
    }
  }

  function drawQuery() {
    const { left, right } = rows.edges(kVector), ratio = devicePixelRatio, width = right - left - 8;
    queryStrip.width = Math.max(1, Math.round(width * ratio));
    queryStrip.height = Math.round(18 * ratio);
    queryStrip.style.width = `${width}px`;
    queryStrip.style.height = '18px';
    const q = layer.query(head, query), context = queryStrip.getContext('2d');
    drawStrip(context, shades(), (d) => q[d], largest.query, 0, 0, queryStrip.width, queryStrip.height);
  }

  function draw(context, seen) {
    if (!layer) return;
    const all = shades(), q = layer.query(head, query), height = rows.rowHeight - 4;
    const vector = rows.edges(kVector), product = rows.edges(kProduct), weight = rows.edges(kWeight);
    for (let place = seen.first; place < seen.last; ++place) {
      const k = layer.key(head, place), top = seen.y(place) - height / 2;
      drawStrip(context, all, (d) => k[d], largest.key, vector.left, top, vector.right - vector.left - 8, height);
      drawStrip(context, all, (d) => q[d] * k[d], largest.product, product.left, top, product.right - product.left - 8, height);
      context.fillStyle = bertha.color('series-0');
      context.globalAlpha = 0.35;
      context.fillRect(weight.left, top, (weight.right - weight.left) * weights[place] / largest.weight, height);
      context.globalAlpha = 1;
      rows.write(place, kScore, (sums[place] / Math.sqrt(size)).toFixed(3));
      rows.write(place, kWeight, attentionDraw.weight(weights[place]));
    }
    const key = rows.edges(kKey);
    context.strokeStyle = bertha.color('focus');
    context.lineWidth = 1.5;
    context.strokeRect(key.left + 1, seen.y(query) - height / 2, key.right - key.left - 2, height);
  }

  /** The dimension under the pointer. */
  function dimensionAt(event) {
    const row = event.target.closest('.row');
    const column = row ? [...row.children].indexOf(event.target) : -1;
    if (column !== kVector && column !== kProduct) return null;
    const box = event.target.getBoundingClientRect();
    const dimension = Math.floor((event.clientX - box.left) / (box.width - 8) * size);
    return dimension < size ? { place: Number(row.dataset.place), dimension } : null;
  }
  rows.element.addEventListener('pointermove', (event) => {
    const at = layer && dimensionAt(event);
    if (!at) return hideTip();
    const q = layer.query(head, query)[at.dimension], k = layer.key(head, at.place)[at.dimension];
    showTip(event, `dimension ${at.dimension}, key ${attentionDraw.named(at.place)}\nq ${q.toFixed(4)}\nk ${k.toFixed(4)}\nq × k ${(q * k).toFixed(4)}`);
  });
  rows.element.addEventListener('pointerleave', hideTip);
  new ResizeObserver(() => layer && drawQuery()).observe(panel);

  function drawing() {
    if (!layer) return null;
    const { text, picture } = attentionDraw;
    const kLabel = 120, kStrip = 260, kLine = 18, kTop = 44, n = tokens.length;
    const y = (place) => kTop + (place + 0.5) * kLine, xProduct = kLabel + kStrip + 10, xScore = xProduct + kStrip + 10;
    const q = layer.query(head, query), keys = tokens.map((_, place) => layer.key(head, place));
    const nodes = [
      text(kLabel - 6, 9, `query ${attentionDraw.named(query)}`, { 'text-anchor': 'end' }),
      picture(stripPicture((d) => q[d], largest.query, 1), kLabel, 0, kStrip, kLine),
      ...[[kLabel, 'key k'], [xProduct, 'q × k'], [xScore, 'score'], [xScore + 70, 'weight']].map(([x, name]) => text(x, kTop - 12, name)),
      picture(stripPicture((d, place) => keys[place][d], largest.key, n), kLabel, kTop, kStrip, n * kLine),
      picture(stripPicture((d, place) => q[d] * keys[place][d], largest.product, n), xProduct, kTop, kStrip, n * kLine),
      ...tokens.flatMap((token, place) => [
        text(kLabel - 6, y(place), token, { 'text-anchor': 'end' }),
        text(xScore, y(place), (sums[place] / Math.sqrt(size)).toFixed(3)),
        text(xScore + 70, y(place), attentionDraw.weight(weights[place])),
      ]),
    ];
    return { title: `${model.name} · layer ${layer.number}, head ${head}`, width: xScore + 140, height: kTop + n * kLine, nodes };
  }

  function stripPicture(value, most, count) {
    const canvas = element('canvas', { width: size, height: count }), context = canvas.getContext('2d'), all = shades();
    for (let place = 0; place < count; ++place) drawStrip(context, all, (d) => value(d, place), most, 0, place, size, 1);
    return canvas;
  }

  return { element: panel, update, drawing, scroller: rows.element };
}
