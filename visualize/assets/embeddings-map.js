'use strict';

/**
 * The map: a canvas to move and zoom in, with names, a point under the mouse, and tools that enclose points.
 * `on.point(point or null)`, `on.area(polygon)`, `on.view({ x, y, k })` say what somebody did; all lengths but pixels
 * are those of `places`.
 */
function createMap(points, on) {
  const kMostZoom = 400;
  const kMargin = 28; // pixels around the whole
  const kKeyStep = 60; // pixels
  const kTransition = 450; // milliseconds
  const canvas = bertha.element('canvas', { id: 'map', tabindex: 0, role: 'img' });
  const stage = bertha.element('div', { class: 'stage' }, canvas);
  const painter = createPainter(canvas);
  const { context } = painter;
  const labels = createLabels(points.names);
  const candidates = labelOrder(points);
  const all = Uint32Array.from({ length: points.count }, (_, point) => point);
  let [width, height, ratio] = [0, 0, 1]; // not yet laid out
  let places = points.places({ map: 'umap' });
  let look = null; // what setLook was given
  let transform = d3.zoomIdentity;
  let tool = 'move';
  let outline = null; // of an area that is being drawn, in pixels
  let hovered = null;
  let tree = null; // of the points shown
  let frame = 0;
  let told = false; // of where the view is
  let journey = 0; // of points to other places

  // ---- From places to pixels

  const wholeScale = () => Math.max(10, Math.min(width, height) / 2 - kMargin);
  const scale = () => transform.k * wholeScale();
  const shiftX = () => transform.applyX(width / 2);
  const shiftY = () => transform.applyY(height / 2);
  const left = (point) => places.x[point] * scale() + shiftX();
  const top = (point) => shiftY() - places.y[point] * scale();
  const invert = ([x, y]) => [(x - shiftX()) / scale(), (shiftY() - y) / scale()];
  const radius = () => {
    const whole = Math.max(1.5, Math.min(4, 60 / Math.sqrt(points.count)));
    return Math.min(7, whole * Math.max(1, transform.k) ** 0.4);
  };

  function view() {
    const [x, y] = invert([width / 2, height / 2]);
    return { x, y, k: transform.k };
  }

  // ---- Drawing

  function requestDraw() {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; draw(); });
  }

  function shades(pixels) {
    return look.shades.map(({ color, opacity, size }) => ({ color, opacity, radius: radius() * size * pixels }));
  }

  function drawGrid(pen) {
    if (!look.axes) return;
    const domain = (low, high, axis) => [low, high].map((at) => at / places.unit + places.middle[axis]);
    const [west, north] = invert([0, 0]);
    const [east, south] = invert([width, height]);
    const across = d3.scaleLinear().domain(domain(west, east, 0)).range([0, width]);
    const up = d3.scaleLinear().domain(domain(south, north, 1)).range([height, 0]);
    across.ticks(Math.max(2, width / 110)).forEach((tick) => {
      pen.line(across(tick), 0, across(tick), height, tick === 0 ? 'axis' : 'grid');
      pen.text(across(tick) + 3, height - 5, String(tick), 'muted');
    });
    up.ticks(Math.max(2, height / 90)).forEach((tick) => {
      pen.line(0, up(tick), width, up(tick), tick === 0 ? 'axis' : 'grid');
      pen.text(28, up(tick) - 4, String(tick), 'muted');
    });
    pen.text(width / 2, height - 22, look.axes[0], 'title');
    pen.text(18, height / 2, look.axes[1], 'turned');
  }

  function drawMarks(pen) {
    if (look.point !== null) {
      points.neighborsOf(look.point).filter(({ point }) => look.shown[point]).forEach(({ point }) => {
        pen.line(left(look.point), top(look.point), left(point), top(point), 'tie');
      });
      pen.ring(left(look.point), top(look.point), radius() + 4);
    }
    if (hovered !== null) pen.ring(left(hovered), top(hovered), radius() + 3);
    if (look.area) pen.polygon(look.area.map(([x, y]) => [x * scale() + shiftX(), shiftY() - y * scale()]));
    if (outline) pen.polygon(outline);
  }

  function drawLabels(pen) {
    context.font = kLabelFont;
    const picked = [look.point, hovered].filter((point) => point !== null);
    const lists = [picked, look.first, candidates];
    labels.place(context, { lists, shown: look.shown, left, top, width, height, gap: radius() + 4 })
      .forEach(({ point, text, x, y }) => {
        pen.text(x, y, text, look.faded && !look.bright[point] && point !== look.point ? 'faded' : 'label');
      });
  }

  function draw() {
    if (!look || !width) return;
    painter.paint({
      x: places.x, y: places.y, order: look.order, shadeOf: look.shadeOf, shades: shades(ratio), scale: scale() * ratio,
      shiftX: shiftX() * ratio, shiftY: shiftY() * ratio, background: look.background,
    });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const pen = createCanvasPen(context);
    drawGrid(pen);
    drawMarks(pen);
    drawLabels(pen);
  }

  /** The same as a drawing of its own. */
  function toSvg() {
    const pen = createSvgPen(width, height);
    drawGrid(pen);
    const discs = shades(1);
    look.order.forEach((point) => {
      const [x, y] = [left(point), top(point)];
      if (x < -8 || y < -8 || x > width + 8 || y > height + 8) return;
      pen.disc(x, y, discs[look.shadeOf[point]]);
    });
    drawMarks(pen);
    drawLabels(pen);
    return pen.toText();
  }

  // ---- Moving

  const zoom = d3.zoom().scaleExtent([0.5, kMostZoom]).filter(isMove)
    .on('zoom', () => {
      transform = d3.event.transform;
      requestDraw();
    })
    .on('end', () => { if (!told) on.view(view()); });

  function isMove() {
    const { event } = d3;
    if (event.type === 'wheel') return true;
    if (event.touches && event.touches.length > 1) return true;
    return tool === 'move' && !event.shiftKey && !event.button && event.type !== 'dblclick';
  }

  /** Shows what is around a place at a zoom, of which nobody needs to be told. */
  function show({ x, y, k }) {
    const [middleX, middleY] = [width / 2 + x * wholeScale(), height / 2 - y * wholeScale()];
    told = true;
    d3.select(canvas).call(zoom.transform,
      d3.zoomIdentity.translate(width / 2 - k * middleX, height / 2 - k * middleY).scale(k));
    told = false;
  }

  const zoomBy = (factor) => d3.select(canvas).call(zoom.scaleBy, factor);
  function whole() {
    show({ x: 0, y: 0, k: 1 });
    on.view(null);
  }

  /** Moves a point into sight if it is not. */
  function reveal(point) {
    const [x, y] = [left(point), top(point)];
    const inside = x > 20 && y > 20 && x < width - 20 && y < height - 20;
    if (inside) return;
    show({ x: places.x[point], y: places.y[point], k: transform.k });
    on.view(view());
  }

  function onKey(event) {
    const pan = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const steps = { '+': 1.4, '=': 1.4, '-': 1 / 1.4 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pan) d3.select(canvas).call(zoom.translateBy, pan[0] * kKeyStep / transform.k, pan[1] * kKeyStep / transform.k);
    else if (steps[event.key]) zoomBy(steps[event.key]);
    else if (event.key === '0') whole();
    else if (event.key === 'Enter') pickNearest([width / 2, height / 2], Infinity);
    else if (event.key === 'Escape') on.point(null);
    else return;
    event.preventDefault();
  }

  // ---- The point under the mouse

  function nearest([x, y], reach) {
    if (!tree) {
      tree = d3.quadtree().x((point) => places.x[point]).y((point) => places.y[point])
        .addAll(Array.from(all).filter((point) => look.shown[point]));
    }
    return tree.find(...invert([x, y]), reach / scale()) ?? null;
  }

  function pickNearest(position, reach) {
    const point = nearest(position, reach);
    if (point !== null || reach !== Infinity) on.point(point);
  }

  function onHover(event) {
    const point = outline || event.buttons ? null : nearest([event.offsetX, event.offsetY], radius() + 8);
    if (point === null) bertha.hideTip();
    else bertha.showTip(event, on.describe(point));
    canvas.classList.toggle('over', point !== null);
    if (point !== hovered) {
      hovered = point;
      requestDraw();
    }
  }

  function leave() {
    bertha.hideTip();
    hovered = null;
    requestDraw();
  }

  // ---- What the page sets

  function setTool(name) {
    tool = name;
    canvas.classList.toggle('encloses', tool !== 'move');
  }

  /** Moves all points to other places, so that one can follow them. */
  function setPlaces(next) {
    const before = places;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches || !look;
    const between = { ...next, x: next.x.slice(), y: next.y.slice() };
    const mine = journey += 1;
    places = calm ? next : between;
    tree = null;
    requestDraw();
    if (calm) return;
    const timer = d3.timer((elapsed) => {
      if (journey !== mine) return timer.stop();
      const share = d3.easeCubicInOut(Math.min(1, elapsed / kTransition));
      for (const axis of ['x', 'y']) {
        between[axis].forEach((_, point) => {
          between[axis][point] = before[axis][point] + share * (next[axis][point] - before[axis][point]);
        });
      }
      tree = null;
      requestDraw();
      if (share === 1) timer.stop();
    });
  }

  /**
   * How points look: the `order` they are painted in, `shadeOf` each, the `shades` and the `background`; which are
   * `shown`; which come `first` when names are written; which are `bright` where the rest is `faded`; the `point` picked,
   * an `area`, titles of `axes`.
   */
  function setLook(next) {
    look = next;
    tree = null;
    requestDraw();
  }

  function resize() {
    const middle = view();
    [width, height, ratio] = [stage.clientWidth, stage.clientHeight, Math.min(2, window.devicePixelRatio || 1)];
    painter.resize(width, height, ratio);
    show(middle);
    draw();
  }

  d3.select(canvas).call(zoom).on('dblclick.zoom', null);
  canvas.addEventListener('keydown', onKey);
  canvas.addEventListener('mousemove', onHover);
  canvas.addEventListener('mouseleave', leave);
  followAreas(canvas, () => tool, {
    draw: (corners) => {
      outline = corners;
      requestDraw();
    },
    done: (corners) => on.area(corners.map(invert)),
  });
  canvas.addEventListener('click', (event) => {
    if (tool === 'move' && !event.shiftKey) pickNearest([event.offsetX, event.offsetY], radius() + 8);
  });
  new ResizeObserver(resize).observe(stage);

  return { stage, canvas, setPlaces, setLook, setTool, show, whole, zoomBy, reveal, toSvg };
}

/** In which order points ask for room for their names: whole words first. */
function labelOrder(points) {
  const kind = points.column('kind');
  const later = (point) => (kind && points.cell(kind, point) !== 'word' ? 1 : 0);
  return d3.range(points.count).sort((a, b) => later(a) - later(b) || a - b);
}
