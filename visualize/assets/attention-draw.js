'use strict';

/** Colours, numbers and files, for all views. */
const attentionDraw = (() => {
  const { color, svg, element, data } = bertha;
  const kColors = 8; // series-0 to series-7 of shell.css

  // ---- Colours

  /** Of #rrggbb. */
  function parts(name) {
    const value = parseInt(color(name).slice(1), 16);
    return [value >> 16, value >> 8 & 255, value & 255];
  }
  const mixed = (from, to, share) => from.map((part, i) => Math.round(part + (to[i] - part) * share));
  /** The colour at `share` in [0, 1] of evenly spaced stops. */
  function between(stops, share) {
    const at = Math.min(share, 1) * (stops.length - 1), first = Math.min(Math.floor(at), stops.length - 2);
    return mixed(stops[first], stops[first + 1], at - first);
  }
  const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;
  const hex = (rgb) => `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

  /** 256 colours for pixels: from nothing to the largest weight, ever further from the background. */
  function ramp() {
    const stops = [parts('background'), parts('series-0'), parts('text')];
    return Uint32Array.from({ length: 256 }, (_, i) => {
      const [red, green, blue] = between(stops, i / 255);
      return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
    });
  }
  const rampCss = () => {
    const stops = [parts('background'), parts('series-0'), parts('text')];
    return `linear-gradient(to right, ${stops.map(css).join(', ')})`;
  };
  /** Says in `legend` what the ramp's colours mean, by labels evenly spaced. */
  function showRamp(legend, labels) {
    const bar = element('span', { class: 'legend-bar' });
    bar.style.background = rampCss();
    legend.replaceChildren(bar, element('span', { class: 'legend-labels' }, labels.map((label) => element('span', {}, label))));
  }
  /** Negative orange, zero background, positive blue; share in [-1, 1]. */
  function signed(share) {
    return css(mixed(parts('background'), parts(share < 0 ? 'series-1' : 'series-0'), Math.min(1, Math.abs(share))));
  }
  /** A token's background for a share in [0, 1], light enough for its text. */
  const tint = (share, name = 'series-0') => hex(mixed(parts('background'), parts(name), 0.55 * Math.min(1, share)));

  const headColorName = (head) => `series-${head % kColors}`;
  const headColor = (head) => color(headColorName(head));
  /** Heads beyond the colours have broken lines. */
  const headDash = (head) => (Math.floor(head / kColors) % 2 ? [14, 5] : []);

  // ---- Numbers

  /** With six decimals, which is what the page is exact to; small ones with three digits. */
  const weight = (x) => (x >= 1e-4 || x === 0 ? x.toFixed(6) : x.toExponential(2));
  const named = (place) => `${place} ‘${data.tokens[place]}’`;

  /** Where another model beside it has what is chosen. */
  const missing = (model) => `Layer ${attentionState.layer()} with head ${attentionState.chosenHeads().join(', ')} is not in this `
    + `model: it has ${model.layers} layers of ${model.heads} heads, counted from 0.`;

  // ---- Files

  const kFont = 'system-ui, sans-serif';
  const kTitleHeight = 28;

  const text = (x, y, content, attributes = {}) => svg('text',
    { x, y, fill: color('text'), 'font-family': kFont, 'font-size': 12, 'dominant-baseline': 'central', ...attributes },
    content);

  /** Drawings, {title, width, height, nodes}, beside each other in one. */
  function sideBySide(drawings) {
    const gap = 24;
    const width = drawings.reduce((sum, drawing) => sum + drawing.width + gap, -gap);
    const height = Math.max(...drawings.map((drawing) => drawing.height)) + kTitleHeight;
    let x = 0;
    const groups = drawings.map((drawing) => {
      const group = svg('g', { transform: `translate(${x} ${kTitleHeight})` },
        text(0, -kTitleHeight / 2, drawing.title, { 'font-weight': 600 }), drawing.nodes);
      x += drawing.width + gap;
      return group;
    });
    return svg('svg', { width, height }, groups);
  }

  /** A canvas inside a drawing. */
  const picture = (canvas, x, y, width, height) => svg('image',
    { href: canvas.toDataURL(), x, y, width, height, preserveAspectRatio: 'none', 'image-rendering': 'pixelated' });

  /** A canvas of whole cells, one pixel each, filled by `pixel(i)`, a value of ramp(). */
  function pixels(width, height, pixel) {
    const canvas = element('canvas', { width, height });
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    const values = new Uint32Array(image.data.buffer);
    for (let i = 0; i < values.length; ++i) values[i] = pixel(i);
    context.putImageData(image, 0, 0);
    return canvas;
  }

  return { kFont, ramp, showRamp, signed, tint, headColorName, headColor, headDash, weight, named, missing, text, sideBySide, picture, pixels };
})();
