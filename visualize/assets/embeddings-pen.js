'use strict';

/** Lines, rings and names of a map, drawn into a canvas or into an SVG: the same calls, the same picture. */
const kLabelFont = '12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/** How each kind of line and of text is drawn. */
function penStyles() {
  const [text, muted, line, focus, background] = ['text', 'muted', 'line', 'focus', 'background'].map(bertha.color);
  return {
    lines: {
      grid: { stroke: line, width: 1, opacity: 0.45 }, axis: { stroke: muted, width: 1, opacity: 0.7 },
      tie: { stroke: focus, width: 1.25, opacity: 0.8 }, ring: { stroke: text, width: 2, opacity: 1 },
      area: { stroke: focus, width: 1.5, opacity: 1 },
    },
    texts: {
      label: { fill: text }, faded: { fill: muted }, muted: { fill: muted },
      title: { fill: text, anchor: 'middle' }, turned: { fill: text, anchor: 'middle', turned: true },
    },
    halo: background,
  };
}

function createCanvasPen(context) {
  const styles = penStyles();
  function stroke({ stroke: color, width, opacity }, path) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.globalAlpha = opacity;
    context.beginPath();
    path();
    context.stroke();
    context.globalAlpha = 1;
  }
  function line(x1, y1, x2, y2, kind) {
    stroke(styles.lines[kind], () => {
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
    });
  }
  function ring(x, y, radius) {
    stroke(styles.lines.ring, () => context.arc(x, y, radius, 0, 2 * Math.PI));
  }
  function polygon(corners) {
    stroke(styles.lines.area, () => {
      corners.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
    });
  }
  function text(x, y, content, kind) {
    const { fill, anchor, turned } = styles.texts[kind];
    context.save();
    context.translate(x, y);
    if (turned) context.rotate(-Math.PI / 2);
    context.font = kLabelFont;
    context.textAlign = anchor ? 'center' : 'left';
    context.strokeStyle = styles.halo;
    context.lineWidth = 3;
    context.lineJoin = 'round';
    context.strokeText(content, 0, 0);
    context.fillStyle = fill;
    context.fillText(content, 0, 0);
    context.restore();
  }
  return { line, ring, polygon, text };
}

function createSvgPen(width, height) {
  const styles = penStyles();
  const drawing = bertha.svg('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` },
    bertha.svg('rect', { width, height, fill: styles.halo }));
  const add = (tag, attributes, ...children) => drawing.append(bertha.svg(tag, attributes, ...children));
  const stroked = ({ stroke, width: lineWidth, opacity }) => ({
    stroke, 'stroke-width': lineWidth, 'stroke-opacity': opacity, fill: 'none',
  });
  const fixed = (number) => Number(number.toFixed(2));
  function line(x1, y1, x2, y2, kind) {
    add('line', { x1: fixed(x1), y1: fixed(y1), x2: fixed(x2), y2: fixed(y2), ...stroked(styles.lines[kind]) });
  }
  function ring(x, y, radius) {
    add('circle', { cx: fixed(x), cy: fixed(y), r: fixed(radius), ...stroked(styles.lines.ring) });
  }
  function disc(x, y, { color, opacity, radius }) {
    add('circle', { cx: fixed(x), cy: fixed(y), r: fixed(radius), fill: String(color), 'fill-opacity': opacity });
  }
  function polygon(corners) {
    add('polygon', { points: corners.map((corner) => corner.map(fixed).join(',')).join(' '), ...stroked(styles.lines.area) });
  }
  function text(x, y, content, kind) {
    const { fill, anchor, turned } = styles.texts[kind];
    add('text', {
      fill, 'text-anchor': anchor, 'font-family': 'system-ui, sans-serif', 'font-size': 12, stroke: styles.halo,
      'stroke-width': 3, 'stroke-linejoin': 'round', 'paint-order': 'stroke',
      transform: `translate(${fixed(x)} ${fixed(y)})${turned ? ' rotate(-90)' : ''}`,
    }, content);
  }
  return { line, ring, disc, polygon, text, toText: () => new XMLSerializer().serializeToString(drawing) };
}
