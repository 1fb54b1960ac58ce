// Run directories as training leaves them, with numbers that a test can say again.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The loss of a step of the run whose losses begin at `start`. */
export const lossAt = (step, start) => start / (1 + step / 50) + (step % 2 === 0 ? 0.125 : -0.125);

/** Writes a run; `change(line)` may alter each line of training, `more` are lines behind the step of their number. */
export function writeRun(path, { steps = 200, start = 8, change = () => {}, more = {}, config = [], facts = {} } = {}) {
  mkdirSync(path, { recursive: true });
  const lines = [];
  for (let step = 1; step <= steps; step += 1) {
    const loss = lossAt(step, start);
    const line = { phase: 'train', step, tokens: 1000 * step, loss, mlm_loss: loss, mlm_accuracy: 1 - loss / 10,
      learning_rate: 1e-3 * (1 - step / steps), grad_norm: 1 + 1 / step, tokens_per_s: 2000 + (step % 7),
      mfu: 0.5, communication_share: 0.01, peak_rss_mib: 100, elapsed_s: step / 2 };
    change(line);
    lines.push(JSON.stringify(line));
    if (step % 50 === 0) {
      lines.push(JSON.stringify({ phase: 'evaluation', step, loss: loss + 0.5, mlm_loss: loss + 0.5, mlm_accuracy: 0.5, elapsed_s: step / 2 }));
      lines.push(JSON.stringify({ phase: 'checkpoint', step, save_s: 0.1, elapsed_s: step / 2 }));
    }
    lines.push(...(more[step] ?? []));
  }
  writeFileSync(join(path, 'metrics.jsonl'), `${lines.join('\n')}\n`);
  writeFileSync(join(path, 'config.yaml'), ['task: mlm', 'training:', `  steps: ${steps}`, ...config].join('\n'));
  writeFileSync(join(path, 'run.json'), JSON.stringify({ processor: 'a chip', ranks: 2, unigram_entropy: 6.25, most_frequent_share: 0.05, ...facts }));
  return path;
}

const row = (name, support, predicted, correct) => ({ name, support, predicted, correct, precision: correct / predicted,
  recall: correct / support, f1: 2 * correct / (support + predicted) });

const mistake = (number, gold, predicted) => ({ where: `line ${number}`, kind: '', text: `text ${number}`, pair: '', gold,
  predicted, score: 1 - number / 100 });

/** What fine-tuning knows of its mistakes: 12 of cats taken for dogs, 3 of dogs for cats. */
export function analysisOf(labels) {
  const [cat, dog] = labels;
  const mistakes = Array.from({ length: 15 }, (_, index) => (index < 12 ? mistake(index + 2, cat, dog) : mistake(index + 2, dog, cat)));
  return { items: 100, tables: [{ of: 'label', rows: [row(cat, 50, 41, 38), row(dog, 50, 59, 47)] }], labels,
    confusion: [[0, 0, 38], [0, 1, 12], [1, 0, 3], [1, 1, 47]], kinds: {}, mistakes_found: 15, mistakes };
}

/** Two spans that are wrong in two ways. */
export const kSpanAnalysis = { items: 9, tables: [{ of: 'type', rows: [row('LOC', 4, 3, 2)] }], labels: ['LOC', ''],
  confusion: [[0, 0, 2], [0, 1, 2], [1, 0, 1]], kinds: { missed: 1, 'wrong boundary': 1 }, mistakes_found: 2,
  mistakes: [
    { where: 'line 4', kind: 'missed', text: 'go to 𝒪slo now', pair: '', gold: 'LOC', predicted: '', gold_place: [6, 10], score: 0.9 },
    { where: 'line 9', kind: 'wrong boundary', text: 'in New York', pair: '', gold: 'LOC', predicted: 'LOC', gold_place: [3, 11],
      predicted_place: [7, 11], score: 0.8 },
  ] };

/** Makes a run one of fine-tuning, finished. */
export function writeResults(path, results, analyses) {
  mkdirSync(join(path, 'model'), { recursive: true });
  writeFileSync(join(path, 'config.yaml'), 'task: sequence_classification\ndata:\n  train: train.tsv\n');
  writeFileSync(join(path, 'results.json'), JSON.stringify(results));
  writeFileSync(join(path, 'analysis.json'), JSON.stringify(analyses));
}
