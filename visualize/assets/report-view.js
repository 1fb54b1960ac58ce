'use strict';

/** What of the runs is looked at, and how: read from the address and written to it. */
const view = (() => {
  const { state } = bertha;
  const kDelay = 150; // milliseconds that a zoom stands still before the address has it
  let runs = [];
  let axes = new Map(); // which have something to say
  let usualSmooth = 0;
  let zoomed = null; // the window in units of metrics.jsonl while the address does not have it yet
  let timer = null;

  const numbers = (text) => (text ?? '').split('.').filter((part) => part !== '').map(Number);
  const names = (text) => (text ?? '').split('.').filter((part) => part !== '');
  const lastStep = (run) => run.summary.step;

  /** To be told of the runs before anything else. */
  function start(all) {
    runs = all;
    const has = (name) => runs.some((run) => series.find(run.training, name));
    axes = new Map([...series.kAxes].filter(([, { curve }]) => curve === null || has(curve)));
    usualSmooth = series.usualSpan(d3.max(runs, lastStep) ?? 0);
  }

  const axis = () => (axes.has(state.x) ? state.x : 'step');

  function smooth() {
    const asked = Number(state.smooth);
    return state.smooth !== undefined && Number.isFinite(asked) && asked >= 0 ? asked : usualSmooth;
  }

  const unitOf = (name) => (name === 'time' ? series.timeUnit(d3.max(runs, (run) => run.summary.elapsed_s) ?? 0) : { name: '', seconds: 1 });

  function fullWindow(shown, places) {
    const steps = (run) => [...run.training, ...run.evaluation].flatMap((curve) => [curve.steps[0], curve.steps.at(-1)]);
    const ends = shown.flatMap((run) => steps(run).map(places[run.index].place)).filter(Number.isFinite);
    const [low, high] = ends.length > 0 ? d3.extent(ends) : [0, 1];
    return low === high ? [low - 0.5, high + 0.5] : [low, high];
  }

  function zoomOf(text) {
    const window = (text ?? '').split(':').map(Number);
    return window.length === 2 && window.every(Number.isFinite) && window[0] < window[1] ? window : null;
  }

  /** The window within the full one, as long as it was where that has room; null for all of it. */
  function within(window, full) {
    const length = Math.max(window[1] - window[0], (full[1] - full[0]) / 1e5);
    if (length >= (full[1] - full[0]) * 0.999) return null;
    const low = Math.max(full[0], Math.min(window[0], full[1] - length));
    return [low, low + length];
  }

  /** The present view, for charts. */
  function present() {
    const name = axis();
    const unit = unitOf(name);
    const hidden = new Set(numbers(state.hide));
    const shown = runs.filter((run) => !hidden.has(run.index));
    const places = runs.map((run) => series.placesOf(run, name, unit.seconds));
    const full = fullWindow(shown, places);
    const zoom = (zoomed ?? zoomOf(state.zoom))?.map((place) => place / unit.seconds);
    return {
      axis: name, unit: unit.seconds, timeName: unit.name, axisLabel: `${series.kAxes.get(name).label}${unit.name && ` (${unit.name})`}`,
      smooth: smooth(), raw: state.raw !== '0', marks: state.marks !== '0',
      logs: new Set(names(state.log)), enlarged: state.large ?? null, hidden, shown, places, full,
      window: (zoom && within(zoom, full)) ?? full,
      linesKey: [name, smooth(), [...hidden].sort().join('.')].join(' '),
    };
  }

  /** Shows a window of places, or all where it is null; says whether that changed anything. `redraw` shows it at once. */
  function zoom(window, redraw) {
    const now = present();
    const next = window && within(window, now.full);
    const changed = next ? next[0] !== now.window[0] || next[1] !== now.window[1] : now.window !== now.full;
    if (!changed) return false;
    zoomed = (next ?? now.full).map((place) => Number((place * now.unit).toPrecision(7)));
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = next && zoomed.join(':');
      zoomed = null;
      bertha.setState({ zoom: text });
    }, kDelay);
    redraw();
    return true;
  }

  function toggle(key, name) {
    const all = new Set(names(state[key]));
    if (!all.delete(String(name))) all.add(String(name));
    bertha.setState({ [key]: all.size > 0 ? [...all].join('.') : null });
  }

  /** Another axis shows all of it. */
  const setAxis = (name) => bertha.setState({ x: name === 'step' ? null : name, zoom: null });
  const setSmooth = (span) => bertha.setState({ smooth: span === usualSmooth ? null : span });
  const setShown = (key, isShown) => bertha.setState({ [key]: isShown ? null : '0' });
  const enlarge = (name) => bertha.setState({ large: state.large === name ? null : name });

  /** A run alone, or all of them where it was. */
  function showAlone(place) {
    const others = runs.map((run) => run.index).filter((index) => index !== place);
    const isAlone = others.every((index) => numbers(state.hide).includes(index)) && !numbers(state.hide).includes(place);
    bertha.setState({ hide: isAlone || others.length === 0 ? null : others.join('.') });
  }

  return { start, present, zoom, toggle, setAxis, setSmooth, setShown, enlarge, showAlone, axes: () => axes };
})();
