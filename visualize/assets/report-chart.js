'use strict';

/** A chart of one metric of all runs: its lines, its marks, and the window of the axis that is shown. */
const chart = (() => {
  const { element, svg } = bertha;
  const kMargin = { left: 62, right: 18, top: 10, bottom: 36 };

  // ---- What is drawn

  /** The lines of a run in a view: what was measured, the same smoothed, and evaluations; [place, value, step] each. */
  function linesOf(run, metric, view) {
    const { place } = view.places[run.index];
    const placed = (list) => list.map(([step, value]) => [place(step), value, step]);
    const training = series.find(run.training, metric.name);
    const evaluation = series.find(run.evaluation, metric.name);
    const span = metric.plain ? 0 : view.smooth;
    return {
      run,
      raw: training ? placed(series.points(training)) : [],
      smooth: training && span > 0 ? placed(series.smoothed(training, span)) : null,
      evaluation: evaluation ? placed(series.points(evaluation)) : [],
    };
  }

  const within = ([low, high]) => ([place]) => place >= low && place <= high;

  /** The points of a window and one on either side of it, so that lines reach its edges. */
  function around(list, [low, high]) {
    const bisect = d3.bisector((point) => point[0]);
    return list.slice(Math.max(0, bisect.left(list, low) - 1), bisect.right(list, high) + 1);
  }

  /** The values that a window shows, with a little room; of a logarithmic axis those above zero. */
  function valueDomain(lines, window, view, isLog) {
    const shown = lines.flatMap(({ raw, smooth, evaluation }) => [...(smooth && !view.raw ? smooth : raw), ...evaluation]);
    const values = shown.filter(within(window)).map((point) => point[1]).filter((value) => value !== null && (!isLog || value > 0));
    if (values.length === 0) return isLog ? [0.1, 1] : [0, 1];
    const [low, high] = d3.extent(values);
    if (isLog) return low === high ? [low / 2, high * 2] : [low / 1.05, high * 1.05];
    const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.05;
    return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
  }

  const path = (x, y, isLog) => d3.line()
    .defined((point) => point[1] !== null && (!isLog || point[1] > 0))
    .x((point) => x(point[0]))
    .y((point) => y(point[1]));

  function drawLine(layer, points, run, draw, className) {
    layer.append(svg('path', {
      class: className, d: draw(points), fill: 'none', stroke: look.color(run.index),
      'stroke-dasharray': className === 'curve' ? look.dash(run.index) : null,
    }));
  }

  /** At the points of the window, for marks are not cut off at its edges. */
  function drawMarks(layer, points, run, x, y, size) {
    points.filter(within(x.domain())).forEach((point) => layer.append(svg('path', {
      class: 'mark', d: look.mark(run.index, size), fill: look.color(run.index),
      transform: `translate(${x(point[0])} ${y(point[1])})`,
    })));
  }

  /** Where there is room for them. */
  function drawEvaluationMarks(layer, points, run, x, y, isLog) {
    const shown = points.filter((point) => point[1] !== null && (!isLog || point[1] > 0));
    if (shown.length <= (x.range()[1] - x.range()[0]) / 9) drawMarks(layer, shown, run, x, y, 36);
  }

  const kEvents = [
    { name: 'checkpoint', text: 'checkpoint', className: 'checkpoint', shape: 'M0 0V-5' },
    { name: 'start', text: 'resumed', className: 'start', shape: 'M0 0V-9M-2.5 -6.5L0 -9L2.5 -6.5' },
    { name: 'skipped', text: 'update skipped', className: 'skipped', shape: 'M-3 -7L3 -1M-3 -1L3 -7' },
    { name: 'rewind', text: 'gone back to', className: 'rewind', shape: 'M3 -7L-3 -4L3 -1Z' },
  ];

  /** Without those that would stand in one another. */
  function apart(places) {
    let last = -Infinity;
    return places.filter((place) => {
      if (place - last < 4) return false;
      last = place;
      return true;
    });
  }

  /** What happened to a run, at the foot of the chart: a row each. */
  function drawEvents(layer, run, row, x, window, view) {
    const { place } = view.places[run.index];
    kEvents.forEach(({ name, className, shape }) => {
      const shown = run.marks[name].steps.map(place).filter((at) => at >= window[0] && at <= window[1]);
      apart(shown.map(x)).forEach((at) => layer.append(svg('path', {
        class: `event ${className}`, d: shape, transform: `translate(${at} ${x.foot - 8 * row})`,
        stroke: look.color(run.index), fill: 'none',
      })));
    });
  }

  /** A line that a model reaches without learning anything, or a word on where it is. */
  function drawBaseline(layer, baseline, x, y, format, rows) {
    const [low, high] = y.domain();
    const right = x.range()[1] - 4;
    const text = `${baseline.label} ${format(baseline.value)}`;
    if (baseline.value < low || baseline.value > high) {
      const above = baseline.value > high;
      layer.append(svg('text', { class: 'baseline', x: right, y: above ? y.range()[1] + 12 : y.range()[0] - 8 * rows - 6,
        'text-anchor': 'end' }, `${above ? '↑' : '↓'} ${text}`));
      return;
    }
    const at = y(baseline.value);
    layer.append(
      svg('line', { class: 'baseline', x1: x.range()[0], x2: x.range()[1], y1: at, y2: at }),
      svg('text', { class: 'baseline', x: right, y: at < y.range()[1] + 16 ? at + 13 : at - 5, 'text-anchor': 'end' }, text));
  }

  // ---- Axes

  function drawAxes(layer, x, y, width, height, metric, view) {
    const inner = width - kMargin.left - kMargin.right;
    const bottom = d3.axisBottom(x).ticks(Math.max(2, Math.floor(inner / 80))).tickSizeOuter(0)
      .tickFormat(d3.format(x.domain()[1] < 1e5 ? ',' : '~s'));
    const left = d3.axisLeft(y).tickSize(-inner);
    if (y.isLog) left.ticks(Math.max(2, Math.floor(height / 48)), '~g');
    else left.ticks(Math.max(2, Math.floor(height / 48))).tickFormat(metrics.axisFormat(metric, y.domain()[1]));
    d3.select(layer).append('g').attr('class', 'axis x').attr('transform', `translate(0 ${height - kMargin.bottom})`).call(bottom);
    d3.select(layer).append('g').attr('class', 'axis y').attr('transform', `translate(${kMargin.left} 0)`).call(left);
    layer.append(svg('text', { class: 'axis-label', x: width - kMargin.right, y: height - 4, 'text-anchor': 'end' }, view.axisLabel));
  }

  /** Names below an exported drawing, which has no page around it to say whose the lines are. */
  function drawLegend(layer, runs, title, width, height) {
    layer.append(svg('text', { class: 'title', x: kMargin.left, y: height + 14 }, title));
    runs.forEach((run, row) => layer.append(
      svg('line', { x1: kMargin.left, x2: kMargin.left + 32, y1: height + 28 + 18 * row, y2: height + 28 + 18 * row,
        stroke: look.color(run.index), 'stroke-width': 2, 'stroke-dasharray': look.dash(run.index) }),
      svg('path', { d: look.mark(run.index, 44), fill: look.color(run.index),
        transform: `translate(${kMargin.left + 16} ${height + 28 + 18 * row})` }),
      svg('text', { x: kMargin.left + 40, y: height + 32 + 18 * row }, run.label)));
    return 36 + 18 * runs.length;
  }

  // ---- The crosshair

  /** What the lines are worth at a place: of each run the nearest step. */
  function valuesAt(lines, place, metric) {
    return lines.map(({ run, raw, smooth, evaluation }) => {
      const measured = series.nearest(raw, place);
      const shown = smooth ? series.nearest(smooth, place) : measured;
      const evaluated = series.nearest(evaluation, place);
      const text = [
        shown && metric.format(shown[1]),
        smooth && measured && `measured ${metric.format(measured[1])}`,
        evaluated && `evaluated ${metric.format(evaluated[1])} at ${metrics.whole(evaluated[2])}`,
      ].filter(Boolean);
      return { run, at: shown ?? evaluated, step: (measured ?? evaluated)?.[2], text };
    }).filter(({ at }) => at);
  }

  function drawCursor(layer, values, place, x, y, isLog) {
    layer.append(svg('line', { class: 'cursor', x1: x(place), x2: x(place), y1: y.range()[1], y2: y.range()[0] }));
    values.filter(({ at }) => !isLog || at[1] > 0).forEach(({ run, at }) => layer.append(svg('circle', {
      class: 'cursor', cx: x(at[0]), cy: y(at[1]), r: 3.5, fill: look.color(run.index),
    })));
  }

  // ---- The element

  const resize = (drawing, width, height) => d3.select(drawing)
    .attr('width', width).attr('height', height).attr('viewBox', `0 0 ${width} ${height}`);

  /** A chart's heading with its buttons. */
  function caption(metric, ask, save) {
    const button = (text, title, onclick) => element('button', { type: 'button', class: 'small', title,
      'aria-label': `${title}: ${metric.title}`, onclick }, text);
    const log = button('Log', 'Logarithmic values', () => ask.toggleLog(metric.name));
    const large = button('⤢', 'Over the whole width', () => ask.enlarge(metric.name));
    const heading = element('figcaption', {},
      element('h3', {}, metric.title, ' ', element('span', { class: 'muted' }, metric.unit)),
      element('span', { class: 'buttons' }, log, large, button('SVG', 'Save as SVG', () => save(bertha.saveSvg, 'svg')),
        button('PNG', 'Save as PNG', () => save(bertha.savePng, 'png'))));
    return { heading, log, large };
  }

  /**
   * A chart with `element`, `draw(view)`, and `point(place)`, which moves its crosshair and gives the values there.
   * `ask` is what it wants of the page: `zoom(window)`, `point(chart, place, where)`, `toggleLog(name)`, `enlarge(name)`.
   */
  function create(metric, baselines, ask) {
    const drawing = svg('svg', { class: 'plot', role: 'img', tabindex: 0 });
    const { heading, log, large } = caption(metric, ask, save);
    const figure = element('figure', { class: 'chart', 'data-metric': metric.name }, heading, drawing);
    const self = { element: figure, metric, draw, point, x: (place) => x(place) };
    let lines = [];
    let linesKey = null;
    let x = null;
    let y = null;
    let cursor = null;

    function prepare(view) {
      if (linesKey === view.linesKey) return;
      linesKey = view.linesKey;
      lines = view.shown.map((run) => linesOf(run, metric, view));
    }

    function scales(view, width, height) {
      const isLog = view.logs.has(metric.name);
      x = d3.scaleLinear(view.window, [kMargin.left, width - kMargin.right]);
      x.foot = height - kMargin.bottom;
      y = (isLog ? d3.scaleLog() : d3.scaleLinear()).domain(valueDomain(lines, view.window, view, isLog))
        .range([x.foot, kMargin.top]);
      y.isLog = isLog;
    }

    function drawMeasured({ run, raw, smooth }, layer, view) {
      if (smooth && view.raw) drawLine(layer, around(raw, view.window), run, path(x, y, y.isLog), 'raw faint');
    }

    function drawRun({ run, raw, smooth, evaluation }, layer, marks, view) {
      const line = path(x, y, y.isLog);
      const isShown = (point) => point[1] !== null && (!y.isLog || point[1] > 0);
      drawLine(layer, around(smooth ?? raw, view.window), run, line, 'curve');
      drawLine(layer, around(evaluation.filter(isShown), view.window), run, line, 'evaluation');
      drawEvaluationMarks(marks, around(evaluation, view.window), run, x, y, y.isLog);
      drawMarks(marks, (smooth ?? raw).slice(-1).filter(isShown), run, x, y, 44);
    }

    function draw(view) {
      const width = Math.max(240, figure.clientWidth - 2);
      const height = view.enlarged === metric.name ? 460 : 250;
      prepare(view);
      scales(view, width, height);
      const axes = svg('g');
      drawAxes(axes, x, y, width, height, metric, view);
      const inner = { x: kMargin.left, y: kMargin.top, width: x.range()[1] - x.range()[0], height: x.foot - kMargin.top + 1 };
      const layer = svg('svg', { ...inner, viewBox: `${inner.x} ${inner.y} ${inner.width} ${inner.height}` }); // cuts lines off
      const marks = svg('g');
      baselines.forEach((baseline) => drawBaseline(layer, baseline, x, y, metric.format, view.marks ? view.shown.length : 0));
      lines.forEach((line) => drawMeasured(line, layer, view));
      lines.forEach((line) => drawRun(line, layer, marks, view));
      if (view.marks) view.shown.forEach((run, row) => drawEvents(marks, run, row, x, view.window, view));
      cursor = svg('g', { class: 'cursor-layer' });
      const empty = lines.every(({ raw, evaluation }) => raw.length + evaluation.length === 0);
      const note = empty && svg('text', { class: 'empty', x: width / 2, y: height / 2, 'text-anchor': 'middle' }, 'No values of the runs shown');
      drawing.replaceChildren(...[axes, layer, marks, cursor, note].filter(Boolean));
      resize(drawing, width, height).attr('aria-label', summary(view));
      log.setAttribute('aria-pressed', y.isLog);
      large.setAttribute('aria-pressed', view.enlarged === metric.name);
      figure.classList.toggle('enlarged', view.enlarged === metric.name);
    }

    function summary(view) {
      const last = valuesAt(lines, view.window[1], metric).map(({ run, text }) => `${run.label}: ${text[0]}`);
      return `${metric.title}. ${last.join('; ')}. Arrow keys move the crosshair, plus and minus zoom, 0 shows all.`;
    }

    function point(place) {
      cursor.replaceChildren();
      if (place === null || place < x.domain()[0] || place > x.domain()[1]) return [];
      const values = valuesAt(lines, place, metric);
      drawCursor(cursor, values, place, x, y, y.isLog);
      return values;
    }

    function save(how, ending) {
      const { width, height } = drawing.viewBox.baseVal;
      const legend = svg('g');
      cursor.replaceChildren();
      drawing.append(legend);
      const more = drawLegend(legend, lines.map(({ run }) => run), `${metric.title} ${metric.unit}`.trim(), width, height);
      resize(drawing, width, height + more);
      how(`${metric.name.replace(/[^\w-]/g, '_')}.${ending}`, drawing);
      resize(drawing, width, height);
      legend.remove();
    }

    pointer.listen(drawing, { x: () => x, zoom: ask.zoom, point: (place, where) => ask.point(self, place, where) });
    return self;
  }

  return { create, kEvents };
})();
