'use strict';

/** The view of all heads: a thumbnail for each, layers downwards; one of them enlarged beside. */
function attentionModelPanel(model) {
  const { element, data, showTip, hideTip } = bertha;
  const side = data.thumbnailSide;
  const kMargin = 30, kTop = 34, kGap = 3, kLargestCell = 88;

  const canvas = element('canvas', { class: 'thumbnails', role: 'img',
    'aria-label': `Attention of ${model.layers} layers by ${model.heads} heads` });
  const legend = element('div', { class: 'legend' });
  const grid = element('div', { class: 'grid-frame' }, canvas, legend);
  const matrix = attentionMatrix({ rowName: 'query', columnName: 'key' });
  const close = element('button', { type: 'button', class: 'close', onclick: () => bertha.setState({ enlarged: null }) }, 'Close');
  const lines = element('button', { type: 'button', onclick: () => attentionState.setView('heads') }, 'Show its lines');
  const heading = element('h3', {});
  const facts = element('p', { class: 'muted' });
  const enlarged = element('div', { class: 'enlarged', hidden: true },
    element('div', { class: 'controls' }, heading, lines, close), facts, matrix.element);
  const panel = element('div', { class: 'panel model-panel' }, grid, enlarged);

  let bytes = null, picture = null, drawnLook = null, cell = 1;

  async function update() {
    bytes ??= await model.thumbnails();
    const look = `${bertha.theme()} ${attentionState.scale()}`;
    if (look !== drawnLook) picture = makePicture();
    drawnLook = look;
    attentionDraw.showRamp(legend, attentionState.scale() === 'one' ? ['0', '0.25', '1'] : ['0', 'a quarter', 'the head’s largest']);
    await updateEnlarged();
    draw();
  }

  /** All thumbnails in one picture, without gaps. */
  function makePicture() {
    const colors = attentionDraw.ramp(), width = model.heads * side;
    return attentionDraw.pixels(width, model.layers * side, (i) => {
      const x = i % width, y = Math.floor(i / width);
      const head = Math.floor(x / side), layer = Math.floor(y / side);
      const root = bytes[((layer * model.heads + head) * side + y % side) * side + x % side] / 255;
      // Bytes are roots of shares of the head's own largest weight, and so are the ramp's places.
      const share = attentionState.scale() === 'one' ? root * Math.sqrt(model.facts[layer][head][4]) : root;
      return colors[Math.round(255 * share)];
    });
  }

  async function updateEnlarged() {
    const number = attentionState.layer(), head = attentionState.head();
    const exists = number < model.layers && head < model.heads;
    enlarged.hidden = !attentionState.isEnlarged() || !exists;
    panel.classList.toggle('is-enlarged', !enlarged.hidden);
    if (enlarged.hidden) return;
    const layer = await model.layer(number);
    if (number !== attentionState.layer() || head !== attentionState.head()) return;
    heading.textContent = `Layer ${number}, head ${head}`;
    facts.textContent = describe(number, head);
    const [, , , , largest] = model.facts[number][head];
    matrix.show({
      values: layer.plane(head), exact: (row) => layer.weights(head, row), unit: 'weight',
      largest: attentionState.scale() === 'one' ? 1 : largest,
      mark: attentionState.token()?.side === 'query' ? attentionState.token().place : null,
      title: `${model.name} · layer ${number}, head ${head}`,
    });
  }

  function describe(layer, head) {
    const [entropy, distance, first, separator, largest] = model.facts[layer][head];
    const shares = [[data.firstName, first], [data.separatorName, separator]].filter(([name]) => name)
      .map(([name, share]) => `${bertha.percent(share)} on ${name}`);
    return [`entropy ${entropy.toFixed(2)} nats`, `mean distance ${distance.toFixed(1)} tokens`, ...shares,
      `largest weight ${attentionDraw.weight(largest)}`].join(' · ');
  }

  // ---- The grid

  const left = (head) => kMargin + head * (cell + kGap);
  const top = (layer) => kTop + layer * (cell + kGap);

  function draw() {
    if (!picture) return;
    const ratio = devicePixelRatio;
    cell = Math.max(8, Math.min(kLargestCell, (grid.clientWidth - kMargin) / model.heads - kGap));
    const width = left(model.heads), height = top(model.layers);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = cell * ratio < side;
    forEachHead((layer, head) => {
      context.drawImage(picture, head * side, layer * side, side, side, left(head), top(layer), cell, cell);
      context.strokeStyle = bertha.color('line');
      context.strokeRect(left(head) - 0.5, top(layer) - 0.5, cell + 1, cell + 1);
    });
    drawLabels(context);
    drawChoice(context);
  }
  function forEachHead(see) {
    for (let layer = 0; layer < model.layers; ++layer) for (let head = 0; head < model.heads; ++head) see(layer, head);
  }

  function drawLabels(context) {
    context.font = `11px ${attentionDraw.kFont}`;
    context.textBaseline = 'middle';
    context.fillStyle = bertha.color('muted');
    context.textAlign = 'left';
    context.fillText('head →', kMargin, 8);
    context.fillText('layer', 0, kTop - 10);
    context.fillStyle = bertha.color('text');
    context.textAlign = 'center';
    for (let head = 0; head < model.heads; ++head) context.fillText(head, left(head) + cell / 2, kTop - 10);
    context.textAlign = 'right';
    for (let layer = 0; layer < model.layers; ++layer) context.fillText(layer, kMargin - 8, top(layer) + cell / 2);
  }

  function drawChoice(context) {
    const layer = attentionState.layer(), head = attentionState.head();
    if (layer >= model.layers || head >= model.heads) return;
    context.strokeStyle = bertha.color('series-1');
    context.lineWidth = 2.5;
    context.strokeRect(left(head) - 1, top(layer) - 1, cell + 2, cell + 2);
  }

  function headAt(event) {
    const box = canvas.getBoundingClientRect();
    const head = Math.floor((event.clientX - box.left - kMargin) / (cell + kGap));
    const layer = Math.floor((event.clientY - box.top - kTop) / (cell + kGap));
    return layer >= 0 && layer < model.layers && head >= 0 && head < model.heads ? { layer, head } : null;
  }
  canvas.addEventListener('pointermove', (event) => {
    const at = headAt(event);
    if (!at) return hideTip();
    showTip(event, `Layer ${at.layer}, head ${at.head}\n${describe(at.layer, at.head).replaceAll(' · ', '\n')}`);
  });
  canvas.addEventListener('pointerleave', hideTip);
  canvas.addEventListener('click', (event) => {
    const at = headAt(event);
    if (at) bertha.setState({ layer: at.layer, heads: at.head, enlarged: 'yes' });
  });
  new ResizeObserver(draw).observe(grid);

  /** The enlarged head, or all of them. */
  function drawing() {
    if (!enlarged.hidden) return matrix.drawing();
    if (!picture) return null;
    const kCell = 64, kLeft = 34, kHead = 22;
    const nodes = [attentionDraw.picture(picture, kLeft, kHead, kCell * model.heads, kCell * model.layers)];
    const stroke = bertha.color('line');
    for (let head = 0; head < model.heads; ++head) {
      nodes.push(attentionDraw.text(kLeft + (head + 0.5) * kCell, kHead / 2, head, { 'text-anchor': 'middle' }));
    }
    for (let layer = 0; layer < model.layers; ++layer) {
      nodes.push(attentionDraw.text(kLeft - 8, kHead + (layer + 0.5) * kCell, layer, { 'text-anchor': 'end' }));
    }
    forEachHead((layer, head) => nodes.push(bertha.svg('rect',
      { x: kLeft + head * kCell, y: kHead + layer * kCell, width: kCell, height: kCell, fill: 'none', stroke })));
    return { title: `${model.name} · layers by heads`, width: kLeft + kCell * model.heads, height: kHead + kCell * model.layers, nodes };
  }

  return { element: panel, update, drawing };
}
