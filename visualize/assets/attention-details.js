'use strict';

/** What the chosen token has to do with the others: its strongest weights, head by head. */
function attentionDetails(model) {
  const { element, data } = bertha;
  const kMostKeys = 8;

  const title = element('h3', {});
  const header = element('tr', {});
  const body = element('tbody', {});
  const table = element('div', { class: 'scroll' }, element('table', {}, element('thead', {}, header), body));
  const likely = element('p', { class: 'muted' });
  const hint = element('p', { class: 'muted' },
    'Point at a token to see its lines alone and its weights. Click it to keep it; the address remembers it.');
  const aside = element('aside', { class: 'details' }, title, table, likely, hint);

  function strongestPlaces({ mean, range }) {
    const places = Array.from({ length: range[1] - range[0] }, (_, i) => range[0] + i);
    return places.sort((a, b) => mean[b] - mean[a]).slice(0, kMostKeys);
  }

  const number = (value) => element('td', { class: 'number' }, attentionDraw.weight(value));

  function fillTable(chosen) {
    const several = chosen.heads.length > 1;
    header.replaceChildren(
      element('th', {}, chosen.side === 'query' ? 'key' : 'query'),
      ...(several ? [element('th', { class: 'number' }, 'mean')] : []),
      ...chosen.heads.map((head) => element('th', { class: 'number' }, `head ${head}`)));
    body.replaceChildren(...strongestPlaces(chosen).map((place) => element('tr', {},
      element('td', { class: 'token' }, attentionDraw.named(place)),
      several ? number(chosen.mean[place]) : null,
      chosen.weights.map((row) => number(row[place])))));
  }

  /** What the masked-LM head expects there. */
  function expectation(place) {
    const candidates = model.predictions?.[place];
    if (!candidates) return '';
    return `Likely here: ${candidates.map(([token, score]) => `${token} ${bertha.percent(score)}`).join(', ')}`;
  }

  function show(chosen) {
    table.hidden = !chosen;
    title.hidden = !chosen;
    hint.hidden = Boolean(chosen);
    likely.textContent = chosen ? expectation(chosen.place) : '';
    if (!chosen) return;
    title.textContent = chosen.side === 'query' ? `${attentionDraw.named(chosen.place)} looks at`
      : `${attentionDraw.named(chosen.place)} is looked at by`;
    fillTable(chosen);
  }

  return { element: aside, show };
}
