'use strict';

/** The view of attention rollout: how much of each input token reaches a position behind the last layer. */
function attentionRolloutPanel(model) {
  const { element, data, showTip, hideTip } = bertha;
  const { n } = attentionData;

  const matrix = attentionMatrix({ rowName: 'position', columnName: 'input' });
  const heading = element('h3', {});
  const text = element('p', { class: 'rollout-text' });
  const tokens = data.tokens.map((token, place) => element('span', { class: 'token', tabindex: -1,
    onclick: () => attentionState.toggleToken({ side: 'query', place }) }, token));
  text.append(...tokens.flatMap((token) => [token, ' ']));
  const panel = element('div', { class: 'panel rollout-panel' },
    element('div', {}, heading, text), matrix.element);

  let values = null;
  async function update() {
    values ??= await model.rollout();
    const query = attentionState.query();
    const row = values.subarray(query * n, (query + 1) * n), largest = row.reduce((a, b) => Math.max(a, b), 0);
    heading.textContent = `What reaches ${attentionDraw.named(query)} through ${model.layers} layers`;
    tokens.forEach((token, place) => {
      token.style.background = attentionDraw.tint(row[place] / largest);
      token.classList.toggle('chosen', place === query);
    });
    matrix.show({
      values, unit: 'share', largest: attentionState.scale() === 'one' ? 1 : values.reduce((a, b) => Math.max(a, b), 0),
      mark: query, title: `${model.name} · rollout through ${model.layers} layers`,
    });
  }
  text.addEventListener('pointermove', (event) => {
    const place = tokens.indexOf(event.target);
    if (place < 0 || !values) return hideTip();
    showTip(event, `${attentionDraw.named(place)}\nshare ${values[attentionState.query() * n + place].toFixed(4)}`);
  });
  text.addEventListener('pointerleave', hideTip);

  return { element: panel, update, drawing: matrix.drawing };
}
