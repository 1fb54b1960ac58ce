'use strict';

/** What one sets all charts with: the axis, smoothing, what is drawn beside the lines, and which runs. */
const controls = (() => {
  const { element, svg } = bertha;

  /** From a slider's place, 0 to 100, to a number of steps, and back. */
  const toSpan = (place, most) => (place <= 0 ? 0 : Math.round(most ** (place / 100)));
  const toPlace = (span, most) => (span < 1 ? 0 : Math.min(100, Math.max(1, Math.round(100 * Math.log(span) / Math.log(most)))));

  function axisButtons() {
    const buttons = [...view.axes()].map(([name]) => element('button', {
      type: 'button', 'data-axis': name, onclick: () => view.setAxis(name),
    }, { step: 'Steps', tokens: 'Tokens', time: 'Time' }[name]));
    const update = (now) => buttons.forEach((button) => button.setAttribute('aria-pressed', button.dataset.axis === now.axis));
    return { node: element('span', { class: 'group', role: 'group', 'aria-label': 'Axis' }, ...buttons), update };
  }

  function smoothing(runs) {
    const most = Math.max(10, d3.max(runs, (run) => run.summary.step) ?? 0);
    const number = element('input', { id: 'smooth', type: 'number', min: 0, step: 'any', oninput: () => {
      if (number.value !== '' && Number(number.value) >= 0) view.setSmooth(Number(number.value));
    } });
    const slider = element('input', { type: 'range', min: 0, max: 100, 'aria-label': 'Smoothing',
      oninput: () => view.setSmooth(toSpan(Number(slider.value), most)) });
    const update = (now) => {
      if (document.activeElement !== number) number.value = now.smooth;
      if (document.activeElement !== slider) slider.value = toPlace(now.smooth, most);
    };
    return { node: element('span', { class: 'group' }, element('label', {}, 'Smooth over', number, 'steps'), slider), update };
  }

  function checkbox(id, text, key, of) {
    const box = element('input', { type: 'checkbox', id, onchange: () => view.setShown(key, box.checked) });
    return { node: element('label', {}, box, text), update: (now) => { box.checked = of(now); } };
  }

  function resetButton(reset) {
    const button = element('button', { type: 'button', id: 'reset', onclick: reset }, 'Show all steps');
    return { node: button, update: (now) => { button.disabled = now.window === now.full; } };
  }

  /** A button a run: shown or not; with Shift it alone. */
  function legend(runs) {
    const buttons = runs.map((run) => element('button', {
      type: 'button', class: 'run', 'data-run': run.index, title: `${run.name}: show or hide; with Shift, it alone`,
      onclick: (event) => (event.shiftKey ? view.showAlone(run.index) : view.toggle('hide', run.index)),
    }, look.swatch(run.index), element('span', {}, run.label)));
    const update = (now) => buttons.forEach((button, index) => button.setAttribute('aria-pressed', !now.hidden.has(index)));
    return { node: element('div', { class: 'legend', role: 'group', 'aria-label': 'Runs' }, ...buttons), update };
  }

  /** What the small signs at the foot of a chart mean, of those that some run has. */
  function signs(runs, events) {
    const known = events.filter(({ name }) => runs.some((run) => run.marks[name].count > 0));
    const nodes = known.map(({ name, className, shape, text }) => element('span', { class: 'sign' },
      svg('svg', { width: 12, height: 12, viewBox: '-6 -10 12 12', 'aria-hidden': 'true' },
        svg('path', { class: `event ${className}`, d: shape, fill: 'none', stroke: 'currentColor' })),
      `${text} (${metrics.whole(d3.sum(runs, (run) => run.marks[name].count))})`));
    return { node: nodes.length > 0 ? element('p', { class: 'signs muted' }, ...nodes) : null, update: () => {} };
  }

  return { axisButtons, smoothing, checkbox, resetButton, legend, signs };
})();
