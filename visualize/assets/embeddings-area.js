'use strict';

/**
 * Lets somebody draw around points on a canvas: with the tool `rectangle` or `lasso`, or a rectangle with Shift held.
 * `draw(corners or null)` while it is being drawn, `done(corners)` in the end, in pixels of the canvas.
 */
function followAreas(canvas, currentTool, { draw, done }) {
  const kStep = 6; // pixels between corners of a lasso

  function begin(event) {
    const tool = currentTool() === 'move' && event.shiftKey ? 'rectangle' : currentTool();
    if (tool === 'move' || event.button || !event.isPrimary) return;
    const start = [event.offsetX, event.offsetY];
    let corners = [start];
    canvas.setPointerCapture(event.pointerId);

    function follow(moved) {
      const [x, y] = [moved.offsetX, moved.offsetY];
      const [lastX, lastY] = corners[corners.length - 1];
      if (tool === 'rectangle') corners = [start, [x, start[1]], [x, y], [start[0], y]];
      else if (Math.hypot(x - lastX, y - lastY) > kStep) corners.push([x, y]);
      draw(corners);
    }

    function finish(last) {
      canvas.removeEventListener('pointermove', follow);
      ends.forEach((name) => canvas.removeEventListener(name, finish));
      draw(null);
      if (last.type === 'pointerup' && corners.length > 2) done(corners);
    }

    const ends = ['pointerup', 'pointercancel'];
    canvas.addEventListener('pointermove', follow);
    ends.forEach((name) => canvas.addEventListener(name, finish));
  }

  canvas.addEventListener('pointerdown', begin);
}
