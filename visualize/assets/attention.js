'use strict';

/** The attention page: what its views have in common. */
(() => {
  const { element, data, state, setState, onState } = bertha;
  const { models } = attentionData;
  const several = models.length > 1;

  // ---- Views

  /** The same panel for each model, beside each other. */
  function panels(makePanel) {
    const all = models.map(makePanel);
    const view = element('div', { class: 'panels' }, all.map((panel, i) => element('section', {},
      several ? element('h2', {}, `${bertha.letter(i)}  ${models[i].name}`) : null, panel.element)));
    const scrollers = all.map((panel) => panel.scroller).filter(Boolean);
    scrollers.forEach((one) => one.addEventListener('scroll', () => {
      scrollers.forEach((other) => { other.scrollTop = one.scrollTop; });
    }, { passive: true }));
    return {
      element: view,
      update: () => Promise.all(all.map((panel) => panel.update())),
      drawings: () => all.map((panel) => panel.drawing()).filter(Boolean),
    };
  }

  const kMakers = {
    heads: () => panels(attentionHeadPanel),
    model: () => panels(attentionModelPanel),
    neurons: () => panels(attentionNeuronPanel),
    facts: () => attentionFactsView,
    rollout: () => panels(attentionRolloutPanel),
    predictions: () => attentionPredictionsView,
  };
  const kHowToRead = {
    heads: 'Left: queries, the tokens that look. Right: keys, what they look at. A line is a weight, the stronger the larger; '
      + 'the weights of a query sum to 1.',
    model: 'A picture is a head: a row a query, a column a key, the more colour the larger the weight (each picture cell '
      + 'is the largest weight in its part of the text). Click one to enlarge it.',
    neurons: 'Why a query looks at a key: its numbers times the key’s, dimension by dimension, summed and divided by √D, '
      + 'make the score; the softmax of all scores makes the weights.',
    facts: 'Means over all queries. Entropy: 0 where each query looks at one key; ln(tokens) where it looks at all alike. '
      + 'Click a heading to sort, a row to see the head.',
    rollout: 'Attention through all layers, residual connections included (Abnar and Zuidema 2020): how much of each input '
      + 'token reaches a position, exact to 0.0001. Rows sum to 1.',
    predictions: 'What the masked-LM head expects at each position, given the whole text with the token itself.',
  };
  const made = {};
  const view = () => (made[attentionState.view()] ??= kMakers[attentionState.view()]());

  // ---- Controls

  const tabs = attentionState.kViews.map(({ name, title }, i) => element('button', { type: 'button', 'data-view': name,
    onclick: () => attentionState.setView(name) }, element('kbd', {}, i + 1), ` ${title}`));

  const option = (value, title) => element('option', { value }, title);
  const layerSelect = element('select', { id: 'layer', onchange: () => attentionState.setLayer(Number(layerSelect.value)) },
    Array.from({ length: attentionState.layers }, (_, i) => option(i, i)));
  const chips = Array.from({ length: attentionState.heads }, (_, head) => {
    const chip = element('button', { type: 'button', class: 'chip', 'data-head': head, title: `Head ${head}`,
      onclick: () => (hasOneHead() ? attentionState.setHead(head) : attentionState.toggleHead(head)) }, head);
    chip.style.setProperty('--head', `var(--${attentionDraw.headColorName(head)})`);
    chip.classList.toggle('dashed', attentionDraw.headDash(head).length > 0);
    return chip;
  });
  const all = Array.from({ length: attentionState.heads }, (_, head) => head);
  const allButton = element('button', { type: 'button', id: 'all-heads', onclick: () => attentionState.setHeads(all) }, 'All');
  const oneButton = element('button', { type: 'button', id: 'one-head', onclick: () => attentionState.setHead(attentionState.head()) }, 'One');
  const hasOneHead = () => attentionState.view() !== 'heads';

  const partSelect = element('select', { id: 'part', onchange: () => setState({ part: partSelect.value }) },
    Object.entries(attentionState.kParts).map(([name, title]) => option(name, title)));
  const tokenSelect = element('select', { id: 'token',
    onchange: () => attentionState.setToken(tokenSelect.value === '' ? null : { side: 'query', place: Number(tokenSelect.value) }) },
  option('', 'none'), data.tokens.map((_, place) => option(place, attentionDraw.named(place))));
  const scaleSelect = element('select', { id: 'scale', onchange: () => setState({ scale: scaleSelect.value }) },
    option('largest', 'the largest weight'), option('one', 'a weight of 1'));

  const labelled = (title, ...controls) => element('label', {}, element('span', { class: 'muted' }, title), controls);
  const controls = {
    layer: labelled('Layer', layerSelect),
    heads: element('div', { class: 'chips', role: 'group', 'aria-label': 'Heads' }, element('span', { class: 'muted' }, 'Heads'), chips),
    many: element('span', { class: 'pair' }, allButton, oneButton),
    part: labelled('Part', partSelect),
    token: labelled('Token', tokenSelect),
    scale: labelled('Full colour at', scaleSelect),
  };
  const kControls = {
    heads: ['layer', 'heads', 'many', 'part', 'token', 'scale'], model: ['scale'], neurons: ['layer', 'heads', 'token'],
    facts: [], rollout: ['token', 'scale'], predictions: [],
  };

  function updateControls() {
    const name = attentionState.view(), chosen = attentionState.chosenHeads();
    tabs.forEach((tab) => tab.setAttribute('aria-pressed', tab.dataset.view === name));
    for (const [key, control] of Object.entries(controls)) control.hidden = !kControls[name].includes(key);
    if (data.second <= 0) controls.part.hidden = true;
    layerSelect.value = attentionState.layer();
    partSelect.value = attentionState.part();
    tokenSelect.value = name === 'heads' ? attentionState.token()?.place ?? '' : attentionState.query();
    scaleSelect.value = attentionState.scale();
    chips.forEach((chip, head) => {
      const is = hasOneHead() ? head === attentionState.head() : chosen.includes(head);
      chip.setAttribute('aria-pressed', is);
    });
    howToRead.textContent = kHowToRead[name];
  }

  // ---- Files

  const fileName = (ending) => `attention-${attentionState.view()}-layer-${attentionState.layer()}.${ending}`;
  function save(how, ending) {
    const drawings = view().drawings?.() ?? [];
    if (drawings.length) how(fileName(ending), attentionDraw.sideBySide(drawings));
  }
  const svgButton = element('button', { type: 'button', id: 'svg', title: 'Save this view as SVG', onclick: () => save(bertha.saveSvg, 'svg') }, 'SVG');
  const pngButton = element('button', { type: 'button', id: 'png', title: 'Save this view as PNG', onclick: () => save(bertha.savePng, 'png') }, 'PNG');
  const tsvButton = element('button', { type: 'button', id: 'tsv', title: 'Save this table as tab-separated values',
    onclick: () => bertha.download(fileName('tsv'), new Blob([view().tsv()], { type: 'text/tab-separated-values' })) }, 'TSV');

  // ---- Keys

  const kKeys = [
    [['1', String(attentionState.kViews.length)], 'views', ' – '], [['↑', '↓'], 'layer'], [['←', '→'], 'head'], [['p', 'n'], 'token before, next'], [['s'], 'as query, as key'],
    [['a'], 'all heads, or one'], [['Enter'], 'enlarge (All heads)'], [['Esc'], 'no token, close'],
  ];
  const keyList = element('p', { class: 'keys muted', 'aria-label': 'Keys' }, element('span', {}, 'Keys: '), kKeys.map(([keys, what, between = ' ']) =>
    element('span', { class: 'key' }, keys.flatMap((key, i) => (i ? [between, element('kbd', {}, key)] : [element('kbd', {}, key)])), ` ${what}`)));

  const kActions = {
    ArrowUp: () => attentionState.setLayer(attentionState.layer() - 1),
    ArrowDown: () => attentionState.setLayer(attentionState.layer() + 1),
    ArrowLeft: () => attentionState.setHead(attentionState.head() - 1),
    ArrowRight: () => attentionState.setHead(attentionState.head() + 1),
    n: () => attentionState.stepToken(1),
    p: () => attentionState.stepToken(-1),
    s: attentionState.turnToken,
    a: () => (attentionState.chosenHeads().length > 1 ? attentionState.setHead(attentionState.head()) : attentionState.setHeads(all)),
    Enter: () => attentionState.view() === 'model' && setState({ enlarged: attentionState.isEnlarged() ? null : 'yes' }),
    Escape: () => setState({ token: null, enlarged: null }),
  };
  attentionState.kViews.forEach(({ name }, i) => { kActions[i + 1] = () => attentionState.setView(name); });

  const kOfOneLayer = ['heads', 'model', 'neurons']; // in other views arrows scroll
  document.addEventListener('keydown', (event) => {
    const action = kActions[event.key];
    const types = event.target.closest('input, select, textarea');
    const presses = event.key === 'Enter' && event.target.closest('button, [tabindex]');
    const scrolls = event.key.startsWith('Arrow') && !kOfOneLayer.includes(attentionState.view());
    if (!action || types || presses || scrolls || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });

  // ---- The page

  const plural = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;
  /** To one digit, such as 2e-6. */
  function roundedUp(x) {
    const unit = 10 ** Math.floor(Math.log10(x));
    return (Math.ceil(x / unit) * unit).toExponential(0);
  }
  function summary() {
    const error = Math.max(...models.map((model) => model.error));
    const sizes = models.map((model) => `${plural(model.layers, 'layer')} × ${plural(model.heads, 'head')}`);
    const parts = [plural(data.tokens.length, 'token'), ...new Set(sizes), `weights exact to ${roundedUp(error)}`];
    if (data.leftOut > 0) parts.push(`the text is cut; ${plural(data.leftOut, 'token')} ${data.leftOut === 1 ? 'is' : 'are'} left out`);
    return parts.join(' · ');
  }

  const main = bertha.frame(several ? 'Attention' : `Attention · ${models[0].name}`, svgButton, pngButton, tsvButton);
  const howToRead = element('p', { class: 'muted how' });
  const stage = element('div', { class: 'stage' });
  main.append(
    element('p', { class: 'muted summary' }, summary()),
    element('nav', { class: 'controls tabs', 'aria-label': 'Views' }, tabs),
    element('div', { class: 'controls' }, Object.values(controls)),
    howToRead, stage, keyList);

  async function update() {
    updateControls();
    const shown = view();
    svgButton.hidden = pngButton.hidden = !shown.drawings;
    tsvButton.hidden = !shown.tsv;
    if (stage.firstChild !== shown.element) stage.replaceChildren(shown.element);
    await shown.update();
    attentionPrefetch.start();
  }
  onState(update);
  update();
})();
