'use strict';

/**
 * The models of the page. Every weight is computed here, from queries and keys: softmax(q k' / sqrt(D)), in doubles;
 * visualize/attention_codec.h says how they are stored.
 */
const attentionData = (() => {
  const { data, block } = bertha;
  const n = data.tokens.length;
  const kMostPlaneBytes = 96 * 2 ** 20; // of whole heads that are kept

  // ---- A layer

  /** Numbers of one block, (2, A, n, D): queries, then keys. */
  function unpackRows(buffer, { heads, headSize }, bits) {
    const count = 2 * heads * n, plane = count * headSize;
    const scales = new Float32Array(buffer, 0, count);
    const upper = new Uint8Array(buffer, 4 * count, plane);
    const middle = new Uint8Array(buffer, 4 * count + plane, plane);
    const rest = bits > 16 ? new Uint8Array(buffer, 4 * count + 2 * plane, plane) : null;
    const shift = bits - 16, zero = 2 ** (bits - 1);
    const rows = new Float32Array(plane);
    for (let row = 0, i = 0; row < count; ++row) {
      const scale = scales[row];
      for (const end = i + headSize; i < end; ++i) {
        const number = ((upper[i] << 8 | middle[i]) << shift | (rest ? rest[i] : 0)) - zero;
        rows[i] = number * scale;
      }
    }
    return rows;
  }

  /** Scores of one query become weights. */
  function softmax(scores, begin, end, headSize) {
    const divisor = Math.sqrt(headSize);
    let largest = -Infinity, sum = 0;
    for (let i = begin; i < end; ++i) if (scores[i] > largest) largest = scores[i];
    for (let i = begin; i < end; ++i) sum += scores[i] = Math.exp((scores[i] - largest) / divisor);
    for (let i = begin; i < end; ++i) scores[i] /= sum;
  }

  /** Rows of one head as doubles, with rows of zeros behind them up to a multiple of four. */
  function padded(rows, headSize) {
    const wide = new Float64Array(Math.ceil(n / 4) * 4 * headSize);
    wide.set(rows);
    return wide;
  }

  /** All weights of one head, (n, n): two queries by four keys at a time, which keeps the sums in registers. */
  function computePlane(queries, keys, headSize) {
    const q = padded(queries, headSize), k = padded(keys, headSize);
    const width = k.length / headSize;
    const scores = new Float64Array(2 * width), plane = new Float32Array(n * n);
    for (let row = 0; row < n; row += 2) {
      for (let key = 0; key < n; key += 4) {
        let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
        const k0 = key * headSize, k1 = k0 + headSize, k2 = k1 + headSize, k3 = k2 + headSize;
        const qa = row * headSize, qb = qa + headSize;
        for (let d = 0; d < headSize; ++d) {
          const a = q[qa + d], b = q[qb + d];
          const c0 = k[k0 + d], c1 = k[k1 + d], c2 = k[k2 + d], c3 = k[k3 + d];
          a0 += a * c0; a1 += a * c1; a2 += a * c2; a3 += a * c3;
          b0 += b * c0; b1 += b * c1; b2 += b * c2; b3 += b * c3;
        }
        scores[key] = a0; scores[key + 1] = a1; scores[key + 2] = a2; scores[key + 3] = a3;
        scores[width + key] = b0; scores[width + key + 1] = b1; scores[width + key + 2] = b2; scores[width + key + 3] = b3;
      }
      for (let i = row; i < Math.min(row + 2, n); ++i) {
        const begin = (i - row) * width;
        softmax(scores, begin, begin + n, headSize);
        plane.set(scores.subarray(begin, begin + n), i * n);
      }
    }
    return plane;
  }

  const planes = new Map(); // the ones used last at its end

  function keepPlane(name, plane, mostHeads) {
    planes.delete(name);
    planes.set(name, plane);
    const most = Math.max(2 * mostHeads, Math.floor(kMostPlaneBytes / plane.byteLength));
    if (planes.size > most) planes.delete(planes.keys().next().value);
    return plane;
  }

  function makeLayer(model, number, rows) {
    const { heads, headSize } = model;
    const perHead = n * headSize;
    const queries = (head) => rows.subarray(head * perHead, (head + 1) * perHead);
    const keys = (head) => rows.subarray((heads + head) * perHead, (heads + head + 1) * perHead);
    const query = (head, token) => queries(head).subarray(token * headSize, (token + 1) * headSize);
    const key = (head, token) => keys(head).subarray(token * headSize, (token + 1) * headSize);

    /** q k of one query with every key, before the division by sqrt(D). */
    function products(head, token) {
      const q = Float64Array.from(query(head, token)), k = keys(head), sums = new Float64Array(n);
      for (let j = 0, i = 0; j < n; ++j) {
        let sum = 0;
        for (let d = 0; d < headSize; ++d, ++i) sum += q[d] * k[i];
        sums[j] = sum;
      }
      return sums;
    }
    /** The weights of one query, (n). */
    function weights(head, token) {
      const row = products(head, token);
      softmax(row, 0, n, headSize);
      return row;
    }

    const planeName = (head) => `${data.models.indexOf(model)}.${number}.${head}`;
    const hasPlane = (head) => planes.has(planeName(head));
    /** All weights of one head, (n, n). */
    function plane(head) {
      const known = planes.get(planeName(head));
      return keepPlane(planeName(head), known ?? computePlane(queries(head), keys(head), headSize), heads);
    }
    /** The weights of all queries for one key, (n). */
    function column(head, token) {
      const all = plane(head);
      return Float64Array.from({ length: n }, (_, i) => all[i * n + token]);
    }
    return { number, query, key, products, weights, column, plane, hasPlane };
  }

  // ---- A model

  /** A matrix (n, n) of 16-bit numbers with a scale a row. */
  function unpackMatrix(buffer) {
    const scales = new Float32Array(buffer, 0, n), numbers = new Uint16Array(buffer, 4 * n, n * n);
    return Float32Array.from(numbers, (number, i) => number * scales[Math.floor(i / n)]);
  }

  function makeModel(model, index) {
    const name = (part) => `model-${index}.${part}`;
    const asked = [], ready = [];
    function layer(number) {
      asked[number] ??= block(name(`layer-${number}`)).then((buffer) => {
        ready[number] = makeLayer(model, number, unpackRows(buffer, model, model.bits[number]));
        return ready[number];
      });
      return asked[number];
    }
    let thumbnails, rollout;
    return {
      ...model,
      index,
      layer,
      /** The layer where it is unpacked, or null. */
      readyLayer: (number) => ready[number] ?? null,
      /** Bytes (L, A, side, side); see visualize/attention_page.cpp. */
      thumbnails: () => (thumbnails ??= block(name('thumbnails')).then((buffer) => new Uint8Array(buffer))),
      rollout: () => (rollout ??= block(name('rollout')).then(unpackMatrix)),
    };
  }

  return { n, models: data.models.map(makeModel) };
})();
