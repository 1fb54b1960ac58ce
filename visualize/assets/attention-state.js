'use strict';

/** What the page shows, as the address has it; whatever else an address may hold is as if it were left out. */
const attentionState = (() => {
  const { data, state, setState } = bertha;
  const n = data.tokens.length;
  const layers = Math.max(...data.models.map((model) => model.layers));
  const heads = Math.max(...data.models.map((model) => model.heads));

  const kViews = [
    ['heads', 'Heads'], ['model', 'All heads'], ['neurons', 'Neurons'], ['facts', 'Facts'], ['rollout', 'Rollout'],
    ...(data.models.some((model) => model.predictions) ? [['predictions', 'Predictions']] : []),
  ].map(([name, title]) => ({ name, title }));

  const kParts = {
    all: 'whole text', ab: 'A → B', ba: 'B → A', aa: 'within A', bb: 'within B',
  };

  function whole(text, limit) {
    return /^\d{1,9}$/.test(text ?? '') && Number(text) < limit ? Number(text) : null;
  }
  const among = (text, names) => (names.includes(text) ? text : names[0]);

  const view = () => among(state.view, kViews.map(({ name }) => name));
  const layer = () => whole(state.layer, layers) ?? 0;
  /** Chosen heads, the one chosen last at the end. */
  function chosenHeads() {
    const numbers = (state.heads ?? '').split(',').map((text) => whole(text, heads)).filter((head) => head !== null);
    return numbers.length ? [...new Set(numbers)] : [0];
  }
  const head = () => chosenHeads().at(-1);
  /** The token that is chosen for good, {side: 'query' or 'key', place}, or null. */
  function token() {
    const [, letter, digits] = /^([qk])(\d+)$/.exec(state.token ?? '') ?? [];
    const place = whole(digits, n);
    return place === null ? null : { side: letter === 'q' ? 'query' : 'key', place };
  }
  /** The query of the views that always have one. */
  const query = () => token()?.place ?? 0;

  const part = () => (data.second > 0 ? among(state.part, Object.keys(kParts)) : 'all');
  /** [first, last) of the queries and keys that are looked at. */
  function range() {
    const all = [0, n], a = [0, data.second], b = [data.second, n];
    const [queries, keys] = { all: [all, all], ab: [a, b], ba: [b, a], aa: [a, a], bb: [b, b] }[part()];
    return { queries, keys };
  }
  /** Whether the largest weight that is shown, or 1, has the full colour. */
  const scale = () => among(state.scale, ['largest', 'one']);
  const isEnlarged = () => state.enlarged === 'yes';

  // ---- Changes

  const clamp = (number, limit) => Math.max(0, Math.min(limit - 1, number));
  const setView = (name) => setState({ view: name });
  const setLayer = (number) => setState({ layer: clamp(number, layers) });
  const setHeads = (numbers) => setState({ heads: numbers.join(',') });
  const setHead = (number) => setHeads([clamp(number, heads)]);
  const setToken = (chosen) => setState({ token: chosen ? chosen.side[0] + chosen.place : null });
  function toggleHead(number) {
    const others = chosenHeads().filter((chosen) => chosen !== number);
    const add = others.length === chosenHeads().length;
    if (add || others.length) setHeads(add ? [...others, number] : others);
  }
  function toggleToken(chosen) {
    const before = token();
    setToken(before && before.side === chosen.side && before.place === chosen.place ? null : chosen);
  }
  function stepToken(step) {
    const chosen = token();
    const place = chosen ? clamp(chosen.place + step, n) : step > 0 ? 0 : n - 1;
    setToken({ side: chosen?.side ?? 'query', place });
  }

  /** From a query to the key at its place, and back. */
  function turnToken() {
    const chosen = token();
    if (chosen) setToken({ side: chosen.side === 'query' ? 'key' : 'query', place: chosen.place });
  }

  // ---- The token under the pointer, which no address keeps

  let hovered = null;
  const hoverListeners = [];
  function hover(token) {
    if (token === hovered || (token && hovered && token.side === hovered.side && token.place === hovered.place)) return;
    hovered = token;
    hoverListeners.forEach((listener) => listener());
  }

  return {
    kViews, kParts, layers, heads, view, layer, chosenHeads, head, token, query, part, range, scale, isEnlarged,
    setView, setLayer, setHeads, setHead, setToken, toggleHead, toggleToken, stepToken, turnToken, hover,
    onHover: (listener) => hoverListeners.push(listener),
    /** The token whose weights are shown, or null. */
    shownToken: () => hovered ?? token(),
  };
})();
