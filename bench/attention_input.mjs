// What the benchmarks of attention pages read: a model and a text.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bertha, directory } from '../tests/visualize/browser.mjs';

const kWords = ('the a bird fish horse cat farmer rain river hill stone gate village tree water light morning night sings '
  + 'swims runs sleeps opens falls under over on in by with old cold green warm heavy silent small bright far near').split(' ');

/** The same words every time. */
export function text(words) {
  let number = 1;
  return Array.from({ length: words }, () => {
    number = (number * 48271) % 2147483647;
    return kWords[number % kWords.length];
  }).join(' ');
}

/** A model of BERT-base's shape with random weights. */
export function randomModel() {
  const corpus = join(directory, 'corpus.txt'), configuration = join(directory, 'pretrain.yaml');
  writeFileSync(corpus, Array.from({ length: 40 }, (_, i) => `${text(60 + i)} .\n\n`).join(''));
  writeFileSync(configuration, `model: {preset: base, vocab_size: 200}
task: mlm
data: {text: ['${corpus}'], sequence_length: 16}
training: {steps: 1, global_batch_size: 1, learning_rate: 1e-6}
output: '${join(directory, 'run')}'
`);
  bertha('pretrain', configuration);
  return join(directory, 'run', 'model');
}
