'use strict';

/** Moving a crosshair and zooming along the axis of a drawing, by pointer, wheel and keys. */
const pointer = (() => {
  const { svg } = bertha;
  const kStill = 400; // milliseconds since the page was scrolled, before a wheel zooms
  let scrolled = -kStill;
  window.addEventListener('scroll', () => { scrolled = performance.now(); }, { passive: true });

  /** A window made so many times as long around a place that stays where it is. */
  const stretched = ([low, high], factor, place) => [place - (place - low) * factor, place + (high - place) * factor];

  function listenToDrag(drawing, at, on) {
    let from = null;
    let area = null;
    const end = () => {
      area?.remove();
      from = area = null;
    };
    drawing.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      from = { x: at(event), window: on.x().domain(), pans: event.shiftKey };
      drawing.setPointerCapture(event.pointerId);
    });
    drawing.addEventListener('pointermove', (event) => {
      const to = at(event);
      on.point(on.x().invert(to), event);
      if (!from || Math.abs(to - from.x) < 4) return;
      if (from.pans) {
        const moved = on.x().invert(from.x) - on.x().invert(to);
        on.zoom(on.x().domain().map((place) => place + moved));
        from.x = to;
        return;
      }
      area ??= drawing.appendChild(svg('rect', { class: 'selection', y: 0, height: on.x().foot }));
      area.setAttribute('x', Math.min(from.x, to));
      area.setAttribute('width', Math.abs(to - from.x));
    });
    drawing.addEventListener('pointerup', (event) => {
      if (area) on.zoom([from.x, at(event)].sort((a, b) => a - b).map((place) => on.x().invert(place)));
      end();
    });
    drawing.addEventListener('pointercancel', end);
  }

  function listenToWheel(drawing, at, on) {
    drawing.addEventListener('wheel', (event) => {
      const scrolls = performance.now() - scrolled < kStill && !event.ctrlKey;
      if (scrolls || event.deltaY === 0) return;
      const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300)));
      const changed = on.zoom(stretched(on.x().domain(), factor, on.x().invert(at(event))));
      if (changed) event.preventDefault(); // else the page scrolls on
    }, { passive: false });
  }

  function listenToKeys(drawing, on) {
    let place = null;
    const move = (share) => {
      const [low, high] = on.x().domain();
      place = Math.max(low, Math.min(high, (place ?? (share > 0 ? low : high)) + share * (high - low)));
      on.point(place, null);
    };
    const pan = (share) => {
      const [low, high] = on.x().domain();
      on.zoom([low + share * (high - low), high + share * (high - low)]);
    };
    const zoom = (factor) => {
      const [low, high] = on.x().domain();
      on.zoom(stretched([low, high], factor, place !== null && place >= low && place <= high ? place : (low + high) / 2));
    };
    const keys = new Map([
      ['ArrowRight', (event) => (event.shiftKey ? pan(0.2) : move(0.02))],
      ['ArrowLeft', (event) => (event.shiftKey ? pan(-0.2) : move(-0.02))],
      ['Home', () => move(-1)], ['End', () => move(1)],
      ['+', () => zoom(0.5)], ['=', () => zoom(0.5)], ['-', () => zoom(2)],
      ['0', () => on.zoom(null)], ['Escape', () => on.zoom(null)],
    ]);
    drawing.addEventListener('keydown', (event) => {
      const action = !event.ctrlKey && !event.metaKey && !event.altKey && keys.get(event.key);
      if (!action) return;
      event.preventDefault();
      action(event);
    });
    drawing.addEventListener('blur', () => {
      place = null;
      on.point(null, null);
    });
  }

  /** `on`: `x()`, the scale that is drawn; `zoom(window)`, which says whether it changed anything; `point(place, event)`. */
  function listen(drawing, on) {
    const at = (event) => {
      const [low, high] = on.x().range();
      return Math.max(low, Math.min(high, event.clientX - drawing.getBoundingClientRect().left));
    };
    listenToDrag(drawing, at, on);
    listenToWheel(drawing, at, on);
    listenToKeys(drawing, on);
    drawing.addEventListener('pointerleave', () => on.point(null, null));
    drawing.addEventListener('dblclick', () => on.zoom(null));
  }

  return { listen };
})();
