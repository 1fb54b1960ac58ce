'use strict';

/** The view of the masked-LM head: the likeliest tokens at each position. */
const attentionPredictionsView = (() => {
  const { element, data } = bertha;
  const models = attentionData.models.filter((model) => model.predictions);
  const several = attentionData.models.length > 1;

  function candidate([token, score], place) {
    const bar = element('span', { class: 'bar' });
    bar.style.width = `${100 * score}%`;
    return element('td', { class: token === data.tokens[place] ? 'candidate same' : 'candidate' },
      element('span', { class: 'token' }, token), element('span', { class: 'number' }, bertha.percent(score, 2)), bar);
  }
  function row(model, place) {
    const choose = () => attentionState.toggleToken({ side: 'query', place });
    return element('tr', { 'data-place': place, tabindex: 0,
      onclick: choose, onkeydown: (event) => event.key === 'Enter' && choose() },
    element('td', { class: 'number' }, String(place)), element('td', { class: 'token' }, data.tokens[place]),
    model.predictions[place].map((one) => candidate(one, place)));
  }
  function makeTable(model) {
    const ranks = model.predictions[0].map((_, i) => element('th', {}, i === 0 ? 'likeliest' : String(i + 1)));
    return element('section', {}, several ? element('h2', {}, `${bertha.letter(model.index)}  ${model.name}`) : null,
      element('div', { class: 'scroll' }, element('table', { class: 'predictions' },
        element('thead', {}, element('tr', {}, element('th', { class: 'number' }, 'place'), element('th', {}, 'token'), ranks)),
        element('tbody', {}, data.tokens.map((_, place) => row(model, place))))));
  }

  const view = element('div', { class: 'panels' });
  let made = false; // long tables are made when they are first looked at
  function update() {
    if (!made) view.append(...models.map(makeTable));
    made = true;
    const chosen = attentionState.token();
    for (const tr of view.querySelectorAll('tr[data-place]')) {
      tr.classList.toggle('chosen', Number(tr.dataset.place) === chosen?.place);
    }
  }

  function tsv() {
    return bertha.tsv(models.flatMap((model) => data.tokens.map((token, place) =>
      [model.name, place, token, ...model.predictions[place].flat()])));
  }

  return { element: view, update, tsv };
})();
