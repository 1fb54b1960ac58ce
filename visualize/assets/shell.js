'use strict';

/** What all pages share: their data, elements, the state in the address, the theme, tooltips and downloads. */
const bertha = (() => {
  const data = JSON.parse(document.getElementById('data').textContent);

  // ---- Elements

  const kSvg = 'http://www.w3.org/2000/svg';

  /** Sets attributes and `on...` handlers, and appends children; strings become text, never markup. */
  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? '' : value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }
  const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(kSvg, tag), attributes, children);

  // ---- Data beside the JSON

  /** The element of a block, once the parser is past it. */
  async function blockElement(name) {
    for (;;) {
      const found = document.getElementById(`block-${name}`);
      const parsed = document.readyState !== 'loading';
      if (found && (parsed || found.nextElementSibling)) return found;
      if (parsed) throw new Error(`block '${name}' is not in this page`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** A block's bytes, as an ArrayBuffer. */
  async function block(name) {
    const text = atob((await blockElement(name)).textContent);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; ++i) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    return new Response(stream).arrayBuffer();
  }

  // ---- State: a link reproduces a view

  const state = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const listeners = [];

  const kAddressPause = 400; // ms; browsers refuse an address that changes often (WebKit: more than 100 times in 30 s)
  let addressTimer = null;
  function writeAddress() {
    addressTimer = null;
    const hash = new URLSearchParams(state).toString();
    history.replaceState(null, '', hash ? `#${hash}` : '#');
  }

  /** Changes keys of the state and, a moment later, the address with it; null removes a key. */
  function setState(changes) {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete state[key];
      else state[key] = String(value);
    }
    addressTimer ??= setTimeout(writeAddress, kAddressPause);
    listeners.forEach((listener) => listener(state));
  }
  function onState(listener) {
    listeners.push(listener);
  }
  window.addEventListener('hashchange', () => {
    clearTimeout(addressTimer);
    addressTimer = null;
    Object.keys(state).forEach((key) => delete state[key]);
    Object.assign(state, Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
    applyTheme();
    listeners.forEach((listener) => listener(state));
  });

  // ---- Theme

  const preferred = matchMedia('(prefers-color-scheme: dark)');
  const theme = () => (['dark', 'light'].includes(state.theme) ? state.theme : preferred.matches ? 'dark' : 'light');
  let colors = {}; // of the theme, as far as they were asked for
  function applyTheme() {
    colors = {};
    document.documentElement.dataset.theme = theme();
  }
  preferred.addEventListener('change', () => setTheme(null));
  function setTheme(name) {
    if (name) state.theme = name;
    applyTheme();
    setState({});
  }
  applyTheme();

  /** The value of a colour of shell.css, for a canvas. */
  const color = (name) => (colors[name] ??= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());

  // ---- Tooltip

  const tip = element('div', { class: 'tooltip', role: 'status', hidden: true });
  function showTip(event, text) {
    tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 12, innerWidth - width - 4))}px`;
    tip.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - height - 4))}px`;
  }
  function hideTip() {
    tip.hidden = true;
  }

  // ---- Texts

  const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
  /** Two models beside each other are A and B. */
  const letter = (place) => 'AB'[place];
  /** Rows of cells as tab-separated values. */
  const tsv = (rows) => rows.map((cells) => cells.map((cell) => String(cell).replace(/[\t\n\r]/g, ' ')).join('\t') + '\n').join('');

  // ---- Downloads

  function download(name, blob) {
    const link = element('a', { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const kDrawn = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'opacity',
    'font-family', 'font-size', 'font-weight', 'text-anchor', 'dominant-baseline', 'display', 'visibility'];

  /** As on the page; of a drawing that is made only to be saved, as its attributes say. */
  const sizeOf = (drawing) => (drawing.isConnected ? drawing.getBoundingClientRect()
    : { width: Number(drawing.getAttribute('width')), height: Number(drawing.getAttribute('height')) });

  function writeStyles(drawing, copy) {
    const copies = [copy, ...copy.querySelectorAll('*')];
    [drawing, ...drawing.querySelectorAll('*')].forEach((original, index) => {
      const style = getComputedStyle(original);
      kDrawn.forEach((property) => copies[index].setAttribute(property, style.getPropertyValue(property)));
    });
  }

  /** A drawing as a file of its own: what style sheets say of one on the page is written into its attributes. */
  function standaloneSvg(drawing) {
    const copy = drawing.cloneNode(true);
    if (drawing.isConnected) writeStyles(drawing, copy);
    const { width, height } = sizeOf(drawing);
    fill(copy, { xmlns: kSvg, width, height, viewBox: drawing.getAttribute('viewBox') ?? `0 0 ${width} ${height}` }, []);
    copy.prepend(svg('rect', { width: '100%', height: '100%', fill: color('background') }));
    return new XMLSerializer().serializeToString(copy);
  }
  const saveSvg = (name, drawing) => download(name, new Blob([standaloneSvg(drawing)], { type: 'image/svg+xml' }));

  const saveCanvas = (name, canvas) => canvas.toBlob((blob) => download(name, blob), 'image/png');

  const kLongestPng = 16000; // browsers make no larger canvas

  /** At twice its size, where that is not too large. */
  async function savePng(name, drawing) {
    const { width, height } = sizeOf(drawing);
    const scale = Math.min(2, kLongestPng / Math.max(width, height));
    const image = new Image();
    const url = URL.createObjectURL(new Blob([standaloneSvg(drawing)], { type: 'image/svg+xml' }));
    image.src = url;
    await image.decode();
    const canvas = element('canvas', { width: Math.ceil(scale * width), height: Math.ceil(scale * height) });
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(url);
    saveCanvas(name, canvas);
  }

  // ---- Frame

  /** The page's header with its title and buttons, and the empty main part, which is returned. */
  function frame(title, ...buttons) {
    const toggle = element('button', { type: 'button', id: 'theme', title: 'Dark or light' }, 'Theme');
    toggle.addEventListener('click', () => setTheme(theme() === 'dark' ? 'light' : 'dark'));
    const main = element('main');
    document.body.append(element('header', { class: 'bar' }, element('h1', {}, title), ...buttons, toggle), main, tip);
    return main;
  }

  return { data, element, svg, block, state, setState, onState, theme, color, showTip, hideTip, percent, letter, tsv,
    download, saveSvg, savePng, saveCanvas, frame };
})();
