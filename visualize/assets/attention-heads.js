'use strict';

/** The view of chosen heads: queries on the left, keys on the right, lines by weight between them. */
function attentionHeadPanel(model) {
  const { element, data } = bertha;
  const { tokens } = data;
  const kWeightOfQuery = 0, kQuery = 1, kKey = 3, kWeightOfKey = 4; // columns
  const kMostLines = 250; // of the chosen token; its numbers say the rest
  const text = (place) => tokens[place];

  const note = element('p', { class: 'note' });
  const rows = attentionRows([
    { name: 'weight' }, { name: 'token query', side: 'query', text }, { name: 'lines' },
    { name: 'token key', side: 'key', text }, { name: 'weight' },
  ], draw);
  const details = attentionDetails(model);
  const panel = element('div', { class: 'panel' },
    element('div', { class: 'head-panel' }, element('div', {}, rows.element, note), details.element));

  let layer = null, strongest = [];

  async function update() {
    const number = attentionState.layer();
    const exists = number < model.layers && heads().length > 0;
    const loaded = exists ? await model.layer(number) : null;
    if (number !== attentionState.layer()) return; // another one was chosen meanwhile
    layer = loaded;
    panel.classList.toggle('empty', !layer);
    if (layer) strongest = attentionLines.strongest(planesOf(layer));
    const chosen = attentionState.token();
    if (chosen) rows.scrollTo(chosen.place);
    show();
  }

  const heads = () => attentionState.chosenHeads().filter((head) => head < model.heads);
  const planesOf = (of) => heads().map((head) => ({ head, plane: of.plane(head) }));

  /** Draws again, for another token may be shown. */
  function show() {
    chosen = layer ? chosenWeights() : null;
    shown = layer ? shownLines() : [];
    describe();
    details.show(chosen);
    rows.redraw();
  }

  // ---- The chosen token

  let chosen = null; // {side, place, heads, weights: one array (n) a head, mean, range: the places that count}

  function chosenWeights() {
    const token = attentionState.shownToken();
    if (!token) return null;
    const { queries, keys } = attentionState.range();
    const isQuery = token.side === 'query';
    const [own, others] = isQuery ? [queries, keys] : [keys, queries];
    const isInside = token.place >= own[0] && token.place < own[1];
    const weights = heads().map((head) => (isQuery ? layer.weights(head, token.place) : layer.column(head, token.place)));
    const mean = weights[0].map((_, i) => weights.reduce((sum, row) => sum + row[i], 0) / weights.length);
    return { ...token, heads: heads(), weights, mean, range: isInside ? others : [0, 0] };
  }

  /** The weight that has the full colour. */
  function fullWeight() {
    if (attentionState.scale() === 'one') return 1;
    if (!chosen) return strongest.at(-1)?.weight ?? 1;
    const [first, last] = chosen.range;
    return Math.max(...chosen.weights.map((row) => Math.max(1e-30, ...row.subarray(first, last))));
  }

  function describe() {
    if (!layer) {
      note.textContent = attentionDraw.missing(model);
    } else if (chosen) {
      const what = chosen.heads.length > 1 ? `mean weights of ${chosen.heads.length} heads` : 'exact weights';
      note.textContent = chosen.side === 'query'
        ? `Numbers: ${what} that ${attentionDraw.named(chosen.place)} gives to each key.`
        : `Numbers: ${what} that each query gives to ${attentionDraw.named(chosen.place)}.`;
    } else {
      note.textContent = describeLines();
    }
  }

  function describeLines() {
    const { queries, keys } = attentionState.range();
    const all = (queries[1] - queries[0]) * (keys[1] - keys[0]) * heads().length;
    if (!strongest.length) return `None of these ${all} weights is above 0.`;
    const { weight } = attentionDraw;
    return `Lines: the largest ${strongest.length} of ${all} weights, from ${weight(strongest[0].weight)} to ${weight(strongest.at(-1).weight)}.`;
  }

  // ---- Drawing

  let shown = []; // {query, key, head, share of the full colour}

  function shownLines() {
    if (!chosen) {
      const full = fullWeight();
      return strongest.map(({ weight, query, key, head }) => ({ query, key, head, share: Math.min(1, weight / full) }));
    }
    const lines = [], full = fullWeight(), least = leastShownWeight(full);
    chosen.heads.forEach((head, i) => {
      for (let place = chosen.range[0]; place < chosen.range[1]; ++place) {
        const weight = chosen.weights[i][place];
        if (weight < least) continue;
        const [query, key] = chosen.side === 'query' ? [chosen.place, place] : [place, chosen.place];
        lines.push({ query, key, head, share: Math.min(1, weight / full) });
      }
    });
    return lines.slice(0, kMostLines); // weights may be alike
  }

  /** Of the chosen token: what is fainter nobody sees, and there is no room for. */
  function leastShownWeight(full) {
    const [first, last] = chosen.range, count = last - first;
    const weights = new Float64Array(count * chosen.heads.length);
    chosen.weights.forEach((row, i) => weights.set(row.subarray(first, last), i * count));
    return Math.max(full / 100, weights.sort().at(-kMostLines) ?? 0);
  }

  function draw(context, seen) {
    writeWeights(seen);
    if (!layer) return;
    if (chosen) drawShares(context, seen);
    drawLines(context, seen);
  }

  function drawLines(context, seen) {
    const left = rows.edges(kQuery).right + 3, right = rows.edges(kKey).left - 3;
    const colors = new Map(heads().map((head) => [head, attentionDraw.headColor(head)]));
    let last = null; // to set a colour takes longer than to draw a line
    context.lineWidth = chosen && shown.length < kMostLines ? 1.6 : 1;
    for (const { query, key, head, share } of shown) {
      const from = seen.y(query), to = seen.y(key);
      const [begin, end] = seenPart(from, to, seen.height);
      if (begin >= end) continue;
      context.globalAlpha = share;
      if (head !== last) {
        context.strokeStyle = colors.get(head);
        context.setLineDash(attentionDraw.headDash(head));
        last = head;
      }
      context.beginPath();
      context.moveTo(left + begin * (right - left), from + begin * (to - from));
      context.lineTo(left + end * (right - left), from + end * (to - from));
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** Which part, [begin, end] in [0, 1], of a line is on the canvas; broken lines far outside would take long. */
  function seenPart(from, to, height) {
    if (from === to) return from >= 0 && from <= height ? [0, 1] : [1, 0];
    const [first, last] = [-from / (to - from), (height - from) / (to - from)].sort((a, b) => a - b);
    return [Math.max(0, first), Math.min(1, last)];
  }

  /** Behind each token on the other side one field a head, as strong as its weight; a frame around the chosen one. */
  function drawShares(context, seen) {
    const { left, right } = rows.edges(chosen.side === 'query' ? kKey : kQuery);
    const width = (right - left) / chosen.heads.length, full = fullWeight();
    chosen.heads.forEach((head, i) => {
      context.fillStyle = attentionDraw.headColor(head);
      for (let place = Math.max(seen.first, chosen.range[0]); place < Math.min(seen.last, chosen.range[1]); ++place) {
        context.globalAlpha = 0.5 * Math.min(1, chosen.weights[i][place] / full);
        context.fillRect(left + i * width, seen.y(place) - rows.rowHeight / 2 + 1, width - 1, rows.rowHeight - 2);
      }
    });
    const own = rows.edges(chosen.side === 'query' ? kQuery : kKey);
    context.globalAlpha = 1;
    context.strokeStyle = bertha.color('focus');
    context.lineWidth = 1.5;
    context.strokeRect(own.left + 1, seen.y(chosen.place) - rows.rowHeight / 2 + 1, own.right - own.left - 2, rows.rowHeight - 2);
  }

  const written = new Set(); // rows that have numbers
  function writeWeights(seen) {
    const column = chosen?.side === 'query' ? kWeightOfKey : kWeightOfQuery;
    const other = chosen?.side === 'query' ? kWeightOfQuery : kWeightOfKey;
    for (const place of written) {
      rows.write(place, other, '');
      if (!chosen || place < seen.first || place >= seen.last) rows.write(place, column, '');
    }
    written.clear();
    if (!chosen) return;
    for (let place = seen.first; place < seen.last; ++place) {
      const counts = place >= chosen.range[0] && place < chosen.range[1];
      rows.write(place, column, counts ? attentionDraw.weight(chosen.mean[place]) : '');
      written.add(place);
    }
  }

  // ---- Files

  function drawing() {
    if (!layer) return null;
    const kLeft = 150, kRight = 350, kLine = 18, kWeight = 70;
    const { svg } = bertha;
    const y = (place) => (place + 0.5) * kLine;
    const lines = shown.map(({ query, key, head, share }) => svg('line', {
      x1: kLeft + 4, y1: y(query), x2: kRight - 4, y2: y(key), stroke: attentionDraw.headColor(head),
      'stroke-opacity': share.toFixed(3), 'stroke-width': 1.2, 'stroke-dasharray': attentionDraw.headDash(head).join(' ') || null,
    }));
    const labels = tokens.flatMap((token, place) => [
      attentionDraw.text(kLeft, y(place), token, { 'text-anchor': 'end' }), attentionDraw.text(kRight, y(place), token)]);
    const numbers = chosen ? tokens.flatMap((_, place) => {
      if (place < chosen.range[0] || place >= chosen.range[1]) return [];
      const x = chosen.side === 'query' ? kRight + 150 : 0;
      return [attentionDraw.text(x, y(place), attentionDraw.weight(chosen.mean[place]))];
    }) : [];
    const title = `${model.name} · layer ${layer.number}, head ${heads().join(', ')}`;
    return { title, width: kRight + 150 + kWeight, height: tokens.length * kLine, nodes: [...lines, ...labels, ...numbers] };
  }

  attentionState.onHover(() => {
    if (attentionState.view() === 'heads') show();
  });
  return { element: panel, update, drawing, scroller: rows.element };
}
