'use strict';

/** The report's page: reads the runs, lays out sections, and draws the charts again whenever the view changes. */
(async () => {
  const { element, data } = bertha;
  const bytes = await bertha.block('curves');
  const curves = JSON.parse(new TextDecoder().decode(bytes));
  const labels = look.labels(data.runs.map((run) => run.name));
  const runs = data.runs.map((run, index) => ({ ...run, ...curves[index], index, label: labels[index] }));
  const jump = element('nav', { 'aria-label': 'Sections' });
  const main = bertha.frame(runs.length === 1 ? `Report of ${runs[0].name}` : `Report of ${runs.length} runs`, jump);
  view.start(runs);

  // ---- Charts

  const namesOf = (run) => [...run.training, ...run.evaluation].map((curve) => curve.name);
  const kNoCharts = ['tokens', 'elapsed_s'];

  /** Without the sum of a loss that has one part only. */
  function metricNames() {
    const all = [...new Set(runs.flatMap(namesOf))].filter((name) => !kNoCharts.includes(name));
    const parts = all.filter((name) => name.endsWith('_loss'));
    return parts.length === 1 && all.includes('loss') ? all.filter((name) => name !== 'loss') : all;
  }

  function baselinesOf(name) {
    const kKeys = new Map([['mlm_loss', ['unigram_entropy', 'unigram entropy']],
      ['mlm_accuracy', ['most_frequent_share', 'always the most frequent token']]]);
    const [key, label] = kKeys.get(name) ?? [];
    const values = [...new Set(runs.map((run) => run[key]).filter((value) => value !== null && value !== undefined))];
    return values.map((value) => ({ value, label }));
  }

  const charts = metrics.ordered(metricNames()).map((name) => chart.create(metrics.describe(name), baselinesOf(name), {
    zoom: (window) => view.zoom(window, redraw), point, toggleLog: (which) => view.toggle('log', which), enlarge: view.enlarge,
  }));

  function point(from, place, event) {
    charts.forEach((one) => {
      const values = one.point(place);
      if (one === from) readout.show(one, place, values, view.present(), event);
    });
  }

  let waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const now = view.present();
      parts.forEach((part) => part.update(now));
      charts.forEach((one) => one.draw(now));
      readout.hide();
    });
  }

  // ---- The page

  const reset = controls.resetButton(() => view.zoom(null, redraw));
  const legend = controls.legend(runs);
  const signs = controls.signs(runs, chart.kEvents);
  const parts = [controls.axisButtons(), controls.smoothing(runs), controls.checkbox('raw', 'Measured values', 'raw', (now) => now.raw),
    controls.checkbox('marks', 'Checkpoints and other marks', 'marks', (now) => now.marks), reset, legend];

  function chartSection(title) {
    const own = charts.filter(({ metric }) => metric.section === title);
    if (own.length === 0) return null;
    return element('section', { class: 'charts' }, element('h2', {}, title), element('div', { class: 'grid' }, ...own.map((one) => one.element)));
  }

  const hint = charts.length > 0
    ? 'Lines are smoothed, what was measured is faint behind them, and marks are evaluations. Drag over a stretch or turn the '
      + 'wheel to look closer; a double click shows everything again. With a chart in focus, arrow keys move the crosshair.'
    : 'There are no curves yet: metrics.jsonl has no line of a step.';

  main.append(...[
    element('section', { id: 'overview' }, tables.overview(runs)),
    ...finetuning.sections(runs, data.groups),
    element('section', { id: 'controls' }, element('h2', {}, 'Curves'), element('p', { class: 'muted' }, hint),
      charts.length > 0 ? element('div', { class: 'controls' }, ...parts.slice(0, -1).map((part) => part.node)) : null,
      legend.node, signs.node),
    ...metrics.kSections.map(chartSection),
    tables.compared('Configuration', runs, 'configuration', 'differs'),
    tables.compared('Machine and model', runs, 'facts', 'machine'),
    tables.notes(runs),
  ].filter(Boolean));

  // The address is the state's, so these are no links.
  const kJumps = [['scores', 'Scores'], ['analysis', 'Mistakes'], ['controls', 'Curves'], ['configuration', 'Configuration'], ['notes', 'Files']];
  jump.append(...kJumps.map(([id, text]) => [document.getElementById(id), text]).filter(([section]) => section)
    .map(([section, text]) => element('button', { type: 'button', class: 'small', onclick: () => section.scrollIntoView({ behavior: 'smooth' }) }, text)));

  bertha.onState(redraw);
  new ResizeObserver(redraw).observe(main);
  redraw();
})();
