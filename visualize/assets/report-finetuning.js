'use strict';

/** What fine-tuned models get right and wrong: scores of seeds, labels, their confusion, and mistakes to read. */
const finetuning = (() => {
  const { element } = bertha;
  const { state, setState } = bertha;
  const named = (label) => (label === '' ? 'none' : label);

  // ---- Scores of seeds

  const seedOf = (name) => name.slice(name.lastIndexOf('/') + 1);

  function groupSection(group, runs) {
    const members = group.runs.map((index) => runs[index]);
    const rows = group.scores.map((score) => {
      const { format } = metrics.describe(score.name);
      const each = score.values.map((value) => tables.known(value, format));
      return [`${score.part}: ${metrics.describe(score.name).title}`, tables.known(score.mean, format),
        tables.known(score.deviation, format), ...each];
    });
    const body = rows.length > 0
      ? tables.table(['', 'Mean', 'Deviation', ...members.map((run) => seedOf(run.name))], rows, 'numbers')
      : element('p', { class: 'muted' }, 'No seed is finished yet.');
    return element('section', { class: 'seeds' }, element('h2', {}, `Seeds of ${group.name}`),
      element('p', { class: 'muted' }, 'Of each metric the mean over the seeds and their sample standard deviation.'), body);
  }

  function scoresSection(runs) {
    const names = [...new Set(runs.flatMap((run) => Object.entries(run.summary.results)
      .flatMap(([part, scores]) => Object.keys(scores).map((name) => `${part}.${name}`))))];
    const rows = names.map((name) => {
      const [part, metric] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
      const { format, title } = metrics.describe(metric);
      return [`${part}: ${title}`, ...runs.map((run) => tables.known(run.summary.results[part]?.[metric], format))];
    });
    return element('section', {}, element('h2', {}, 'Scores of the final model'),
      tables.table(['', ...runs.map(tables.nameOf)], rows, 'numbers'));
  }

  // ---- One analysis

  function labelTable({ of, rows }) {
    const cells = rows.map((row) => [named(row.name), metrics.percent(row.precision), metrics.percent(row.recall),
      metrics.percent(row.f1), metrics.whole(row.support), metrics.whole(row.predicted)]);
    const title = { label: 'Label', intent: 'Intent', type: 'Type of span' }[of] ?? of;
    return tables.table([title, 'Precision', 'Recall', 'F1', 'Support', 'Predicted'], cells, 'numbers');
  }

  /** Gold and predicted label that mistakes are shown of; null where of all. */
  const asked = () => (state.gold !== undefined && state.predicted !== undefined
    ? { gold: state.gold, predicted: state.predicted } : null);
  const ask = (gold, predicted) => {
    const same = asked()?.gold === gold && asked()?.predicted === predicted;
    setState(same ? { gold: null, predicted: null, more: null } : { gold, predicted, more: null });
  };

  function frequentConfusions(analysis) {
    const wrong = analysis.confusion.filter(([gold, predicted]) => gold !== predicted).sort((a, b) => b[2] - a[2]);
    if (wrong.length === 0) return element('p', { class: 'muted' }, 'No label was taken for another.');
    return element('ol', { class: 'confusions' }, ...wrong.slice(0, 12).map(([gold, predicted, count]) => element('li', {},
      element('button', { type: 'button', class: 'small', onclick: () => ask(analysis.labels[gold], analysis.labels[predicted]) },
        `${named(analysis.labels[gold])} → ${named(analysis.labels[predicted])}`), ` ${metrics.whole(count)}`)));
  }

  function kindFilter(kinds) {
    const names = Object.keys(kinds);
    if (names.length < 2) return null;
    const select = element('select', { id: 'kind', onchange: () => setState({ kind: select.value || null, more: null }) },
      element('option', { value: '' }, 'every kind'),
      ...names.map((name) => element('option', { value: name }, `${name} (${metrics.whole(kinds[name])})`)));
    select.value = names.includes(state.kind) ? state.kind : '';
    return element('label', {}, 'Kind', select);
  }

  function searchField() {
    const field = element('input', { type: 'search', id: 'search', placeholder: 'in texts and labels',
      oninput: () => setState({ search: field.value || null, more: null }) });
    field.value = state.search ?? '';
    return element('label', {}, 'Search', field);
  }

  function analysisSection(run, part) {
    const analysis = run.analyses[part];
    const section = element('div', { class: 'analysis' });
    const parts = element('div', { class: 'columns' });
    if (analysis.confusion.length > 0) {
      parts.append(element('div', {}, element('h3', {}, 'Confusion'), confusion.create(analysis, asked, ask),
        element('h3', {}, 'Most frequent'), frequentConfusions(analysis)));
    }
    const labels = analysis.tables.filter(({ rows }) => rows.length > 0);
    if (labels.length > 0) parts.append(element('div', {}, element('h3', {}, 'By label'), ...labels.map(labelTable)));
    section.append(parts);
    const list = element('div');
    const filters = element('p', { class: 'controls' }, searchField(), kindFilter(analysis.kinds));
    const update = () => list.replaceChildren(...mistakes.list(analysis, asked()));
    update();
    section.append(element('h3', {}, mistakes.title(analysis)), filters, list);
    return { section, update };
  }

  /** The run and part that are looked at, with the choice of both. */
  function analyses(runs) {
    const known = runs.filter((run) => Object.keys(run.analyses).length > 0);
    if (known.length === 0) return null;
    const body = element('div');
    const runChoice = element('select', { id: 'run', onchange: () => setState({ run: runChoice.value, gold: null, predicted: null, kind: null, more: null }) },
      ...known.map((run) => element('option', { value: run.index }, run.label)));
    const partChoice = element('select', { id: 'part', onchange: () => setState({ part: partChoice.value, gold: null, predicted: null, kind: null, more: null }) });
    let shown = null;
    let present = null;
    function update() {
      const run = known.find(({ index }) => String(index) === state.run) ?? known[0];
      const names = Object.keys(run.analyses);
      const part = names.includes(state.part) ? state.part : names[0];
      if (shown !== `${run.index} ${part}`) {
        shown = `${run.index} ${part}`;
        partChoice.replaceChildren(...names.map((name) => element('option', { value: name }, name)));
        runChoice.value = run.index;
        partChoice.value = part;
        present = analysisSection(run, part);
        body.replaceChildren(present.section);
      } else {
        present.update();
      }
    }
    update();
    bertha.onState(update);
    return element('section', { id: 'analysis' }, element('h2', {}, 'What the model gets wrong'),
      element('p', { class: 'controls' }, element('label', {}, 'Run', runChoice), element('label', {}, 'Examples', partChoice)), body);
  }

  /** The sections that the runs have something for. */
  function sections(runs, groups) {
    const single = runs.filter((run) => run.group === '' && Object.keys(run.summary.results).length > 0);
    const scores = [...groups.map((group) => groupSection(group, runs)), ...(single.length > 0 ? [scoresSection(single)] : [])];
    if (scores.length > 0) scores[0].id = 'scores';
    return [...scores, analyses(runs)].filter(Boolean);
  }

  return { sections, named };
})();
