'use strict';

/** What is known of metrics by their names: titles, units, how numbers are written, and which section has them. */
const metrics = (() => {
  const kLearning = 'Learning';
  const kOptimizer = 'Optimizer';
  const kSpeed = 'Speed and memory';
  const kSections = [kLearning, kOptimizer, kSpeed];

  const percent = (share) => bertha.percent(share);
  const fixed = (value) => d3.format('.4f')(value);
  const whole = (value) => d3.format(',.0f')(value);
  const short = (value) => d3.format('.4~g')(value);
  const scientific = (value) => d3.format('.3~e')(value);

  /** How the numbers of an axis are written that ends at `high`. */
  function axisFormat({ format }, high) {
    if (format === percent) return (value) => `${d3.format('~r')(100 * value)} %`;
    if (high < 0.01) return (value) => (value === 0 ? '0' : d3.format('~e')(value));
    return d3.format(high < 1e5 ? ',' : '~s');
  }

  // In the order of charts; `plain`: is as it is, and not smoothed.
  const kKnown = new Map([
    ['loss', { title: 'Loss', unit: 'nats' }],
    ['mlm_loss', { title: 'Masked-token loss', unit: 'nats' }],
    ['mlm_accuracy', { title: 'Masked-token accuracy', unit: 'share', format: percent }],
    ['nsp_loss', { title: 'Next-sentence loss', unit: 'nats' }],
    ['nsp_accuracy', { title: 'Next-sentence accuracy', unit: 'share', format: percent }],
    ['accuracy', { title: 'Accuracy', unit: 'share', format: percent }],
    ['macro_f1', { title: 'Macro F1', unit: '' }],
    ['micro_f1', { title: 'Micro F1', unit: '' }],
    ['f1', { title: 'F1', unit: '' }],
    ['slot_f1', { title: 'F1 of slots', unit: '' }],
    ['joint_accuracy', { title: 'Intent and all slots right', unit: 'share', format: percent }],
    ['subset_accuracy', { title: 'All labels right', unit: 'share', format: percent }],
    ['matthews', { title: "Matthews' coefficient", unit: '' }],
    ['pearson', { title: "Pearson's correlation", unit: '' }],
    ['spearman', { title: "Spearman's correlation", unit: '' }],
    ['mse', { title: 'Mean squared error', unit: '', format: short }],
    ['perplexity', { title: 'Perplexity', unit: '', format: short, late: true }],
    ['exact_match', { title: 'Exact match', unit: '%', format: short }],
    ['learning_rate', { section: kOptimizer, title: 'Learning rate', unit: '', format: scientific, plain: true }],
    ['grad_norm', { section: kOptimizer, title: 'Gradient norm, before clipping', unit: '', format: short }],
    ['budget_share', { section: kOptimizer, title: 'Time budget used', unit: 'share', format: percent, plain: true }],
    ['tokens_per_s', { section: kSpeed, title: 'Throughput', unit: 'tokens/s', format: whole }],
    ['mfu', { section: kSpeed, title: 'Model FLOPs utilisation', unit: 'of the measured peak', format: percent }],
    ['communication_share', { section: kSpeed, title: 'Communication', unit: 'share of a step, exposed', format: percent }],
    ['peak_rss_mib', { section: kSpeed, title: 'Peak memory of rank 0', unit: 'MiB', format: whole, plain: true }],
  ]);

  const spoken = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');

  function guess(name) {
    if (name.endsWith('_loss')) return { title: spoken(name), unit: 'nats' };
    if (name.endsWith('_accuracy')) return { title: spoken(name), unit: 'share', format: percent };
    return { title: spoken(name), unit: '' };
  }

  /** Of any name. */
  const describe = (name) => ({ section: kLearning, format: fixed, ...(kKnown.get(name) ?? guess(name)), name });

  /** The names in the order of charts. */
  function ordered(names) {
    const known = [...kKnown.keys()];
    const place = (name) => {
      const description = describe(name);
      const within = known.includes(name) ? known.indexOf(name) : known.indexOf('perplexity') - 0.5;
      return kSections.indexOf(description.section) * 100 + within + (description.late ? 50 : 0);
    };
    return [...names].sort((a, b) => place(a) - place(b));
  }

  return { kSections, describe, ordered, axisFormat, percent, fixed, whole, short };
})();
