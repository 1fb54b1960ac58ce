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

  // Cells are kept while the columns are the same: a pointer that moves over tokens changes their words only.
  let titles = [], cells = []; // (kMostKeys, columns)

  function makeCells(wanted) {
    if (String(wanted) === String(titles)) return;
    titles = wanted;
    header.replaceChildren(...titles.map((name, i) => element('th', { class: i ? 'number' : null }, name)));
    cells = Array.from({ length: kMostKeys }, () => titles.map((_, i) => element('td', { class: i ? 'number' : 'token' })));
    body.replaceChildren(...cells.map((row) => element('tr', {}, row)));
  }

  function fillTable(chosen) {
    const several = chosen.heads.length > 1;
    const numbers = several ? [chosen.mean, ...chosen.weights] : chosen.weights;
    makeCells([chosen.side === 'query' ? 'key' : 'query', ...(several ? ['mean'] : []), ...chosen.heads.map((head) => `head ${head}`)]);
    const places = strongestPlaces(chosen);
    cells.forEach((row, i) => {
      const place = places[i];
      const words = i < places.length ? [attentionDraw.named(place), ...numbers.map((of) => attentionDraw.weight(of[place]))] : [];
      row.forEach((cell, column) => { cell.textContent = words[column] ?? ''; });
      row[0].parentElement.hidden = !words.length;
    });
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
