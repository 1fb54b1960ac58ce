'use strict';

/**
 * Draws discs into a canvas pixel by pixel, which holds tens of thousands of them at every frame without a graphics
 * card. The picture has a margin all around, so that a disc at its edge needs no case of its own.
 */
function createPainter(canvas) {
  const kMargin = 32; // device pixels; no disc is larger
  const kPhases = 4; // a disc's place within its pixel, in quarters
  const context = canvas.getContext('2d', { alpha: false });
  const stamps = new Map(); // by radius
  let image = null;
  let pixels = null;

  function resize(width, height, ratio) {
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    image = new ImageData(canvas.width + 2 * kMargin, canvas.height + 2 * kMargin);
    pixels = new Uint32Array(image.data.buffer);
    stamps.clear();
  }

  /** The pixels of a disc, as places relative to its centre's, and how much of each it covers, of 256. */
  function makeStamp(radius, phaseX, phaseY) {
    const places = [];
    const coverage = [];
    const reach = Math.ceil(radius) + 1;
    const centerX = (phaseX + 0.5) / kPhases - 0.5;
    const centerY = (phaseY + 0.5) / kPhases - 0.5;
    for (let y = -reach; y <= reach; y += 1) {
      for (let x = -reach; x <= reach; x += 1) {
        const covered = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x - centerX, y - centerY)));
        if (covered === 0) continue;
        places.push(y * image.width + x);
        coverage.push(Math.round(256 * covered));
      }
    }
    return { places: Int32Array.from(places), coverage: Int32Array.from(coverage) };
  }

  function stampsOf(radius) {
    const key = Math.round(8 * Math.min(radius, kMargin - 3));
    if (!stamps.has(key)) {
      const phases = d3.range(kPhases * kPhases);
      stamps.set(key, phases.map((phase) => makeStamp(key / 8, phase % kPhases, Math.floor(phase / kPhases))));
    }
    return stamps.get(key);
  }

  function putDisc(place, { places, coverage }, redBlue, green, opacity) {
    for (let i = 0; i < places.length; i += 1) {
      const at = place + places[i];
      const share = (coverage[i] * opacity) >> 8;
      const rest = 256 - share;
      const below = pixels[at];
      pixels[at] = 0xff000000 | (((redBlue * share + (below & 0xff00ff) * rest) >>> 8) & 0xff00ff)
        | (((green * share + (below & 0xff00) * rest) >>> 8) & 0xff00);
    }
  }

  /**
   * Paints the points of `order` at x * scale + shift, y downwards. Of a point's shade: color (a d3.rgb), opacity 0 to 1
   * and radius in device pixels.
   */
  function paint({ x, y, order, shades, shadeOf, scale, shiftX, shiftY, background }) {
    const { width, height } = canvas;
    pixels.fill((0xff000000 | (background.b << 16) | (background.g << 8) | background.r) >>> 0);
    const brushes = shades.map(({ color, opacity, radius }) => ({
      stamps: stampsOf(radius), redBlue: (color.b << 16) | color.r, green: color.g << 8,
      opacity: Math.round(256 * opacity), reach: radius + 1,
    }));
    for (let i = 0; i < order.length; i += 1) {
      const point = order[i];
      const brush = brushes[shadeOf[point]];
      const left = x[point] * scale + shiftX;
      const top = shiftY - y[point] * scale;
      if (left < -brush.reach || top < -brush.reach || left > width + brush.reach || top > height + brush.reach) continue;
      const column = Math.floor(left);
      const row = Math.floor(top);
      const phase = Math.floor((top - row) * kPhases) * kPhases + Math.floor((left - column) * kPhases);
      putDisc((row + kMargin) * image.width + column + kMargin, brush.stamps[phase], brush.redBlue, brush.green,
        brush.opacity);
    }
    context.putImageData(image, -kMargin, -kMargin);
  }

  return { context, resize, paint };
}
