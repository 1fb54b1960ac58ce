// Models whose embeddings are known, for tests of pages that show them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { directory } from './browser.mjs';

export const kFixture = join(import.meta.dirname, '../fixtures/models/bert_mlm');
export const kHidden = 32;
export const kSpecials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** Numbers in [-1, 1) that look random and are always the same. */
function noise(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** The fixture with another vocabulary, whose embeddings are `vectors` (one after the other). */
export function writeModel(name, tokens, vectors) {
  const folder = join(directory, name);
  mkdirSync(folder);
  const file = readFileSync(join(kFixture, 'model.safetensors'));
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + headerBytes));
  const parts = [];
  const changed = {};
  let offset = 0;
  for (const [tensor, { dtype, shape, data_offsets: range }] of Object.entries(header)) {
    if (!tensor.startsWith('bert.')) continue;
    const [begin, end] = range;
    const isVocabulary = tensor.endsWith('word_embeddings.weight');
    const bytes = isVocabulary ? Buffer.from(vectors.buffer) : file.subarray(8 + headerBytes + begin, 8 + headerBytes + end);
    parts.push(bytes);
    changed[tensor] = { dtype, shape: isVocabulary ? [tokens.length, kHidden] : shape, data_offsets: [offset, offset += bytes.length] };
  }
  const json = Buffer.from(JSON.stringify(changed));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, json, ...parts]));
  const config = JSON.parse(readFileSync(join(kFixture, 'config.json')));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, vocab_size: tokens.length }));
  writeFileSync(join(folder, 'vocab.txt'), tokens.join('\n') + '\n');
  return folder;
}

/** Token i lies in group i % groups, around that group's centre. */
export function groupedVectors(count, groups) {
  const random = noise(7);
  const centers = Float32Array.from({ length: groups * kHidden }, random);
  return Float32Array.from({ length: count * kHidden }, (_, i) =>
    centers[(Math.floor(i / kHidden) % groups) * kHidden + (i % kHidden)] + 0.25 * random());
}
