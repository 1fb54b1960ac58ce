'use strict';

/** Wrong decisions with their texts, the surest first. */
const mistakes = (() => {
  const { element } = bertha;
  const { state, setState } = bertha;
  const kPage = 10;

  /** Of regression, where every prediction is a number, and wrong by some. */
  const isOfNumbers = (analysis) => analysis.mistakes_found === analysis.items && analysis.tables.length === 0
    && Object.keys(analysis.kinds).length === 0;

  function title(analysis) {
    const { mistakes_found: found, mistakes: all } = analysis;
    if (found === 0) return 'No mistakes';
    if (isOfNumbers(analysis)) return `The ${all.length} largest differences`;
    const which = all.length < found ? `the ${all.length} ` : '';
    return `${metrics.whole(found)} wrong decisions${which && `; ${which}that the model was surest of`}`;
  }

  /** Pieces of a text, cut at the ends of places, each with the names of the places that it is in. */
  function pieces(text, places) {
    const letters = Array.from(text);
    const cuts = [...new Set([0, letters.length, ...places.flatMap(({ place }) => place)])]
      .filter((cut) => cut >= 0 && cut <= letters.length).sort((a, b) => a - b);
    return cuts.slice(1).map((end, index) => ({
      text: letters.slice(cuts[index], end).join(''),
      names: places.filter(({ place }) => place[0] <= cuts[index] && end <= place[1]).map(({ name }) => name),
    }));
  }

  function textOf(mistake) {
    const places = [['gold', mistake.gold_place], ['predicted', mistake.predicted_place]]
      .filter(([, place]) => place).map(([name, place]) => ({ name, place }));
    return element('p', { class: 'text', dir: 'auto' }, ...pieces(mistake.text, places).map((piece) => (piece.names.length > 0
      ? element('mark', { class: piece.names.join(' '), title: piece.names.join(' and ') }, piece.text) : piece.text)));
  }

  function show(mistake, ofNumbers) {
    const score = !ofNumbers ? `${metrics.percent(mistake.score)} sure` : `off by ${metrics.short(mistake.score)}`;
    const facts = [mistake.kind, score, mistake.f1 === undefined ? null : `F1 ${metrics.percent(mistake.f1)}`, mistake.where];
    return element('article', { class: 'mistake' },
      element('p', { class: 'decision' },
        element('span', { class: 'gold' }, 'gold: ', element('b', {}, finetuning.named(mistake.gold))),
        element('span', { class: 'predicted' }, 'predicted: ', element('b', {}, finetuning.named(mistake.predicted))),
        element('span', { class: 'muted' }, facts.filter(Boolean).join(' · '))),
      mistake.pair ? element('p', { class: 'text pair', dir: 'auto' }, mistake.pair) : null, textOf(mistake));
  }

  function matches(mistake, asked) {
    if (asked && (mistake.gold !== asked.gold || mistake.predicted !== asked.predicted)) return false;
    if (state.kind && mistake.kind !== state.kind) return false;
    const search = (state.search ?? '').toLowerCase();
    return [mistake.text, mistake.pair, mistake.gold, mistake.predicted, mistake.where]
      .some((text) => text.toLowerCase().includes(search));
  }

  function askedNote(asked) {
    if (!asked) return null;
    return element('p', {}, `Only gold ${finetuning.named(asked.gold)}, predicted ${finetuning.named(asked.predicted)}. `,
      element('button', { type: 'button', class: 'small', onclick: () => setState({ gold: null, predicted: null }) }, 'All'));
  }

  /** The nodes of a list, of which a page is shown and more when asked for. */
  function list(analysis, asked) {
    const found = analysis.mistakes.filter((mistake) => matches(mistake, asked));
    const most = state.more === undefined ? kPage : analysis.mistakes.length;
    const none = found.length === 0 && analysis.mistakes.length > 0
      ? element('p', { class: 'muted' }, 'None of the mistakes that were kept is of this kind.') : null;
    const more = found.length > most
      ? element('button', { type: 'button', id: 'more', onclick: () => setState({ more: 1 }) }, `Show ${found.length - most} more`) : null;
    return [askedNote(asked), none, ...found.slice(0, most).map((mistake) => show(mistake, isOfNumbers(analysis))), more].filter(Boolean);
  }

  return { title, list };
})();
