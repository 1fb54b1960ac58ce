'use strict';

/** The runs in numbers, their configurations and machines, and what is wrong with their files. */
const tables = (() => {
  const { element } = bertha;
  const kNone = '–';

  const known = (value, format) => (value === null || value === undefined ? kNone : format(value));

  function duration(seconds) {
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, '0');
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  }

  function steps(run) {
    const planned = Number(run.configuration.find(([key]) => key === 'training.steps')?.[1]);
    const done = metrics.whole(run.summary.step);
    return planned > run.summary.step ? `${done} of ${metrics.whole(planned)}` : done;
  }

  function best({ best: found }) {
    if (!found) return kNone;
    const { format, title } = metrics.describe(found.metric);
    return `${title} ${format(found.value)} at ${metrics.whole(found.step)}`;
  }

  const kColumns = [
    ['Steps', steps],
    ['Tokens', ({ summary }) => known(summary.tokens, metrics.whole)],
    ['Time', ({ summary }) => known(summary.elapsed_s, duration)],
    ['Last loss', ({ summary }) => known(summary.loss, metrics.fixed)],
    ['Best evaluation', ({ summary }) => best(summary)],
    ['Tokens/s', ({ summary }) => known(summary.tokens_per_s, metrics.whole)],
    ['MFU', ({ summary }) => known(summary.mfu, metrics.percent)],
    ['Communication', ({ summary }) => known(summary.communication_share, metrics.percent)],
    ['Peak MiB', ({ summary }) => known(summary.peak_rss_mib, metrics.whole)],
  ];

  const nameOf = (run) => element('span', { class: 'name', title: run.name }, look.swatch(run.index), run.label);

  function table(heads, rows, className) {
    const cell = (tag, content, index) => element(tag, { class: index > 0 && className === 'numbers' ? 'number' : null,
      scope: tag === 'th' ? (index === undefined ? 'row' : 'col') : null }, content);
    return element('div', { class: 'scroll', tabindex: 0 }, element('table', { class: className },
      element('thead', {}, element('tr', {}, ...heads.map((head, index) => cell('th', head, index)))),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((content, index) => cell('td', content, index)))))));
  }

  function overview(runs) {
    const rows = runs.map((run) => [nameOf(run), ...kColumns.map(([, text]) => text(run))]);
    return table(['Run', ...kColumns.map(([title]) => title)], rows, 'numbers');
  }

  /** Names of one list of each run, in the order in which they first come. */
  const namesOf = (runs, list) => [...new Set(runs.flatMap((run) => run[list].map(([name]) => name)))];

  /** A row a name, a column a run; with `onlyDifferences`, rows in which runs differ. */
  function comparison(runs, list, onlyDifferences) {
    const values = (name) => runs.map((run) => run[list].find(([key]) => key === name)?.[1] ?? kNone);
    const rows = namesOf(runs, list).map((name) => [name, ...values(name)]);
    const shown = rows.filter(([, ...texts]) => !onlyDifferences || new Set(texts).size > 1);
    if (runs.length === 1 && shown.length > 0) {
      return element('dl', { class: 'pairs' }, ...shown.map(([name, text]) => element('div', {}, element('dt', {}, name), element('dd', {}, text))));
    }
    if (shown.length === 0) return element('p', { class: 'muted' }, onlyDifferences ? 'Nothing differs.' : 'Nothing is known.');
    return table(['', ...runs.map(nameOf)], shown, 'texts');
  }

  /** A section that compares runs, with a box that leaves out what they agree in. */
  function compared(title, runs, list, key) {
    const body = element('div');
    const box = element('input', { type: 'checkbox', id: key,
      onchange: () => bertha.setState({ [key]: box.checked ? null : '0' }) });
    const several = runs.length > 1;
    const update = () => {
      box.checked = bertha.state[key] !== '0';
      body.replaceChildren(comparison(runs, list, several && box.checked));
    };
    update();
    bertha.onState(update);
    return element('section', { id: list }, element('h2', {}, title),
      several ? element('p', { class: 'controls' }, element('label', {}, box, 'Only what differs')) : null, body);
  }

  /** What a reader of the curves should know about the files they come from. */
  function notes(runs) {
    const sentences = runs.flatMap((run) => run.summary.notes.map((note) => (runs.length > 1 ? `${run.label}: ${note}` : note)));
    if (sentences.length === 0) return null;
    return element('section', { id: 'notes', class: 'notes' }, element('h2', {}, 'Files'),
      element('ul', {}, ...sentences.map((sentence) => element('li', {}, sentence))));
  }

  return { table, overview, compared, notes, nameOf, known };
})();
