'use strict';

/**
 * A matrix as a picture: a row a query, a column a key. `show({values, largest, title, mark})` shows (n, n) values, of
 * which `largest` has the full colour; `exact(row)`, where given, has the exact values of a row.
 */
function attentionMatrix({ rowName, columnName }) {
  const { element, data, showTip, hideTip } = bertha;
  const { n } = attentionData;
  const kMargin = 88, kTop = 34, kLeastLabelled = 11, kLargestCell = 34; // pixels on the screen

  const canvas = element('canvas', { class: 'matrix', role: 'img' });
  const legend = element('div', { class: 'legend' });
  const frame = element('div', { class: 'matrix-frame' }, canvas, legend);

  let shown = null, picture = null, cell = 1;

  function show(matrix) {
    shown = matrix;
    const colors = attentionDraw.ramp();
    picture = attentionDraw.pixels(n, n, (i) => colors[Math.round(255 * Math.sqrt(Math.min(1, shown.values[i] / shown.largest)))]);
    canvas.setAttribute('aria-label', matrix.title);
    const { weight } = attentionDraw;
    attentionDraw.showRamp(legend, ['0', weight(shown.largest / 4), weight(shown.largest)]);
    draw();
  }

  function layout() {
    const width = frame.clientWidth, height = Math.max(320, innerHeight - 250);
    cell = Math.min(kLargestCell, (width - kMargin - 2) / n, (height - kTop - 2) / n);
    return { width: kMargin + n * cell + 2, height: kTop + n * cell + 2 };
  }

  function draw() {
    if (!shown) return;
    const { width, height } = layout(), ratio = devicePixelRatio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = cell * ratio < 1;
    context.drawImage(picture, kMargin, kTop, n * cell, n * cell);
    context.strokeStyle = bertha.color('line');
    context.strokeRect(kMargin - 0.5, kTop - 0.5, n * cell + 1, n * cell + 1);
    drawLabels(context);
    if (shown.mark !== null) drawMark(context);
  }

  /** Places whose labels have room. */
  function labelled() {
    const step = [1, 2, 5, 10, 20, 50, 100, 200].find((every) => every * cell >= kLeastLabelled + 1) ?? 500;
    return Array.from({ length: Math.ceil(n / step) }, (_, i) => i * step);
  }

  function drawLabels(context) {
    context.fillStyle = bertha.color('text');
    context.font = `11px ${attentionDraw.kFont}`;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    const places = labelled();
    for (const place of places) {
      const label = `${short(data.tokens[place])} ${place}`;
      context.fillText(label, kMargin - 5, kTop + (place + 0.5) * cell, kMargin - 8);
    }
    context.textAlign = 'center';
    const every = Math.ceil(22 / (cell * (places[1] ?? 1))); // numbers need more room to the side
    places.filter((_, i) => i % every === 0).forEach((place) => context.fillText(place, kMargin + (place + 0.5) * cell, kTop - 8));
    context.textAlign = 'left';
    context.fillStyle = bertha.color('muted');
    context.fillText(`${columnName} →`, kMargin, 9);
    context.fillText(`${rowName} ↓`, 2, 9);
  }
  const short = (token) => (token.length > 10 ? `${token.slice(0, 9)}…` : token);

  function drawMark(context) {
    context.strokeStyle = bertha.color('series-1');
    context.lineWidth = 1.5;
    context.strokeRect(kMargin - 1, kTop + shown.mark * cell - 0.75, n * cell + 2, Math.max(2, cell + 1.5));
  }

  function cellAt(event) {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - kMargin) / cell);
    const row = Math.floor((event.clientY - box.top - kTop) / cell);
    return row >= 0 && row < n && column >= 0 && column < n ? { row, column } : null;
  }
  canvas.addEventListener('pointermove', (event) => {
    const at = shown && cellAt(event);
    if (!at) return hideTip();
    const value = (shown.exact?.(at.row) ?? shown.values.subarray(at.row * n))[at.column];
    showTip(event, `${rowName} ${attentionDraw.named(at.row)}\n${columnName} ${attentionDraw.named(at.column)}\n${shown.unit} ${attentionDraw.weight(value)}`);
  });
  canvas.addEventListener('pointerleave', hideTip);
  canvas.addEventListener('click', (event) => {
    const at = cellAt(event);
    if (at) attentionState.toggleToken({ side: 'query', place: at.row });
  });
  new ResizeObserver(draw).observe(frame);

  function drawing() {
    if (!shown) return null;
    const kCell = Math.max(2, Math.min(18, 900 / n)), kLeft = 120, side = n * kCell;
    const step = Math.ceil(12 / kCell);
    const places = data.tokens.map((_, place) => place).filter((place) => place % step === 0);
    const nodes = [
      attentionDraw.picture(picture, kLeft, 24, side, side),
      ...places.map((place) => attentionDraw.text(kLeft - 5, 24 + (place + 0.5) * kCell, `${data.tokens[place]} ${place}`, { 'text-anchor': 'end', 'font-size': 11 })),
      ...places.filter((_, i) => i * step * kCell % 24 < step * kCell).map((place) => attentionDraw.text(kLeft + (place + 0.5) * kCell, 14, place, { 'text-anchor': 'middle', 'font-size': 11 })),
    ];
    return { title: shown.title, width: kLeft + side, height: 24 + side, nodes };
  }

  return { element: frame, show, drawing };
}

