"""The peer of `bertha bench`: the same full pretraining step in PyTorch and Hugging Face transformers.

Forward, backward, clipping and AdamW of BertForMaskedLM on random tokens; dropout 0.1, 15 % masked, SDPA attention,
bf16 by autocast. As tuned as the libraries allow without other code: the fused optimiser, and only masked rows reach
the decoder. Prints one JSON object like `bertha bench --json`.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForMaskedLM

PRESETS = {  # layers, hidden, heads
    "tiny": (2, 128, 2),
    "mini": (4, 256, 4),
    "small": (4, 512, 8),
    "medium": (8, 512, 8),
    "minilm": (6, 384, 12),
    "base": (12, 768, 12),
    "large": (24, 1024, 16),
}
VOCAB_SIZE, FIRST_WORD, MASK = 30522, 999, 103
MASKED_SHARE = 0.15
WARMUP_STEPS = 2


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--size", choices=PRESETS, default="base")
    parser.add_argument("--sequence-length", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--fill", type=float, default=1.0, help="row lengths are uniform in [2 fill - 1, 1] x S")
    parser.add_argument("--steps", type=int, default=5, help="measured, after two of warm-up")
    parser.add_argument("--decode", choices=["all", "masked"], default="masked", help="rows that reach the decoder")
    parser.add_argument("--optimizer", choices=["fused", "foreach"], default="fused", help="AdamW's implementation")
    parser.add_argument("--threads", type=int, help="default: PyTorch's own")
    return parser.parse_args()


def make_model(size):
    layers, hidden, heads = PRESETS[size]
    config = BertConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
    )
    return BertForMaskedLM._from_config(config, attn_implementation="sdpa").train()


def make_optimizer(model, implementation):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    undecayed = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": undecayed, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-4, eps=1e-6, **{implementation: True})


def random_lengths(options):
    shares = torch.empty(options.batch).uniform_(2 * options.fill - 1, 1)
    return (shares * options.sequence_length).round().long().clamp(min=1)


def make_batch(options):
    """Rows padded to the longest, and the masked positions among all rows' real tokens."""
    lengths = random_lengths(options)
    real = torch.arange(lengths.max()) < lengths[:, None]
    input_ids = torch.where(real, torch.randint(FIRST_WORD, VOCAB_SIZE, real.shape), 0)
    real_positions = real.flatten().nonzero().squeeze(1)
    masked = round(MASKED_SHARE * len(real_positions))
    positions = real_positions[torch.randperm(len(real_positions))[:masked]].sort().values
    labels = input_ids.flatten()[positions]
    input_ids.view(-1)[positions] = MASK
    attention_mask = None if real.all() else real.long()
    return {"input_ids": input_ids, "attention_mask": attention_mask}, positions, labels, len(real_positions)


def mlm_loss(model, inputs, positions, labels, decode):
    hidden = model.bert(**inputs).last_hidden_state.flatten(0, 1)
    if decode == "masked":
        return cross_entropy(model.cls(hidden[positions]), labels)
    return cross_entropy(model.cls(hidden)[positions], labels)


def time_step(model, optimizer, batch, options):
    inputs, positions, labels, _ = batch
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bf16"):
        loss = mlm_loss(model, inputs, positions, labels, options.decode)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return time.perf_counter() - start


def main():
    options = parse_arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = make_model(options.size)
    optimizer = make_optimizer(model, options.optimizer)

    seconds, rates = [], []
    for _ in range(WARMUP_STEPS + options.steps):
        batch = make_batch(options)
        seconds.append(time_step(model, optimizer, batch, options))
        rates.append(batch[-1] / seconds[-1])
    report = {
        "tokens_per_s": statistics.median(rates[WARMUP_STEPS:]),
        "step_s": statistics.median(seconds[WARMUP_STEPS:]),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
