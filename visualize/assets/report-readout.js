'use strict';

/** The values of all runs at the crosshair, beside it. */
const readout = (() => {
  const { element } = bertha;
  const box = element('div', { class: 'tooltip readout', role: 'status', hidden: true });
  document.body.append(box);

  const kPlace = {
    step: (place) => `step ${metrics.whole(place)}`,
    tokens: (place) => `${d3.format('.4~s')(place)} tokens`,
    time: (place, now) => `${d3.format('.3~f')(place)} ${now.timeName}`,
  };

  function hide() {
    box.hidden = true;
  }

  /** Beside the pointer, or the crosshair itself where keys moved it. */
  function move(one, place, event) {
    const drawing = one.element.querySelector('svg.plot').getBoundingClientRect();
    const at = event ? { x: event.clientX, y: event.clientY } : { x: drawing.left + one.x(place), y: drawing.top + 20 };
    const { width, height } = box.getBoundingClientRect();
    const left = at.x + 16 + width < innerWidth ? at.x + 16 : at.x - 16 - width;
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, Math.min(at.y + 12, innerHeight - height - 4))}px`;
  }

  function show(one, place, values, now, event) {
    if (place === null || values.length === 0) return hide();
    box.replaceChildren(element('b', {}, kPlace[now.axis](place, now)), ...values.map(({ run, step, text }) => element('div', { class: 'row' },
      look.swatch(run.index), element('span', { class: 'run-name' }, run.label),
      element('span', {}, [...text, now.axis === 'step' ? null : `step ${metrics.whole(step)}`].filter(Boolean).join(', ')))));
    box.hidden = false;
    return move(one, place, event);
  }

  return { show, hide };
})();
