"""Fine-tunes the same model on the same file with Hugging Face transformers, by the same recipe as `bertha finetune`:
AdamW without decay on biases and LayerNorm, a tenth of warm-up, linear decay, clipping, batches padded to their longest.

    python bench/peer_finetune.py MODEL --task classification --train train.tsv --test dev.tsv --text-column sentence
    python bench/peer_finetune.py MODEL --task tagging --train train.conll --test test.conll
    python bench/peer_finetune.py MODEL --task answers --train train.json --test dev.json --sequence-length 384
Prints one JSON object a seed.
"""

import argparse
import collections
import csv
import json
import random
import re
import statistics
import string
import time

import torch
from seqeval.metrics import f1_score
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

IGNORED = -100
LONGEST_ANSWER = 30  # tokens


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--task", choices=["classification", "tagging", "answers"], required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--sequence-length", type=int, default=128)
    parser.add_argument("--stride", type=int, default=128)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="bf16: by autocast")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    return parser.parse_args()


def read_table(path, options):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(row[options.text_column], row[options.label_column]) for row in rows]


def read_conll(path, _options):
    sentences, words, tags = [], [], []
    with open(path, encoding="utf-8") as file:
        for line in [*file, "\n"]:
            columns = line.split()
            if columns:
                words.append(columns[0])
                tags.append(columns[-1])
            elif words:
                sentences.append((words, tags))
                words, tags = [], []
    return sentences


def read_squad(path, _options):
    with open(path, encoding="utf-8") as file:
        paragraphs = [paragraph for article in json.load(file)["data"] for paragraph in article["paragraphs"]]
    return [(qa["question"], paragraph["context"], qa["answers"]) for paragraph in paragraphs for qa in paragraph["qas"]]


class Classification:
    model_class = AutoModelForSequenceClassification
    read = staticmethod(read_table)

    @staticmethod
    def labels(examples):
        return sorted({label for _, label in examples})

    @staticmethod
    def encode(tokenizer, example, numbers, options):
        encoding = tokenizer(example[0], truncation=True, max_length=options.sequence_length)
        return [(encoding, numbers[example[1]])]

    @staticmethod
    def collate(labels, _width):
        return {"labels": torch.tensor(labels)}

    @staticmethod
    def score(outputs, rows, _examples, _names):
        return {"accuracy": statistics.mean(int(o["logits"].argmax()) == label for o, (_, label) in zip(outputs, rows))}


class Tagging:
    model_class = AutoModelForTokenClassification
    read = staticmethod(read_conll)

    @staticmethod
    def labels(examples):
        return sorted({tag for _, tags in examples for tag in tags})

    @staticmethod
    def encode(tokenizer, example, numbers, options):
        """A tag at the first piece of each word."""
        words, tags = example
        encoding = tokenizer(words, is_split_into_words=True, truncation=True, max_length=options.sequence_length)
        labels, before = [], None
        for word in encoding.word_ids():
            labels.append(IGNORED if word is None or word == before else numbers[tags[word]])
            before = word
        return [(encoding, labels)]

    @staticmethod
    def collate(labels, width):
        return {"labels": torch.tensor([row + [IGNORED] * (width - len(row)) for row in labels])}

    @staticmethod
    def score(outputs, rows, _examples, names):
        gold, predicted = [], []
        for output, (_, labels) in zip(outputs, rows):
            pairs = [(names[y], names[p]) for y, p in zip(labels, output["logits"].argmax(-1).tolist()) if y != IGNORED]
            gold.append([y for y, _ in pairs])
            predicted.append([p for _, p in pairs])
        return {"f1": f1_score(gold, predicted)}


def normalized(answer):
    """As the SQuAD script compares: lower case, no punctuation, no articles, single blanks."""
    kept = "".join(c for c in answer.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def word_f1(answer, gold):
    answer, gold = normalized(answer), normalized(gold)
    shared = sum((collections.Counter(answer) & collections.Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold)) if shared else float(answer == gold)


class Answers:
    """Questions of SQuAD 1.1: windows over the context, those without the answer point at [CLS]."""

    model_class = AutoModelForQuestionAnswering
    read = staticmethod(read_squad)

    @staticmethod
    def labels(_examples):
        return [0, 1]  # where an answer starts and where it ends

    @staticmethod
    def encode(tokenizer, example, _numbers, options):
        question, context, answers = example
        windows = tokenizer(
            question,
            context,
            truncation="only_second",
            max_length=options.sequence_length,
            stride=options.stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        start = answers[0]["answer_start"]
        end = start + len(answers[0]["text"])
        rows = []
        for i, window in enumerate(windows.encodings):
            places = [o if s == 1 else None for o, s in zip(window.offsets, window.sequence_ids)]
            first = [t for t, place in enumerate(places) if place and place[0] <= start < place[1]]
            last = [t for t, place in enumerate(places) if place and place[0] < end <= place[1]]
            encoding = {key: windows[key][i] for key in tokenizer.model_input_names}
            rows.append((encoding, ((first[0], last[0]) if first and last else (0, 0), places, example)))
        return rows

    @staticmethod
    def collate(labels, _width):
        starts, ends = zip(*(span for span, _, _ in labels))
        return {"start_positions": torch.tensor(starts), "end_positions": torch.tensor(ends)}

    @staticmethod
    def best_span(output, places):
        """The likeliest pair of a start and an end behind it: its score and its place in the context."""
        inside = [t for t, place in enumerate(places) if place]
        starts, ends = (output[key][inside] for key in ("start_logits", "end_logits"))
        scores = starts[:, None] + ends[None, :]
        allowed = torch.ones_like(scores).triu() - torch.ones_like(scores).triu(LONGEST_ANSWER)
        best = int(scores.masked_fill(allowed == 0, -torch.inf).argmax())
        first, last = divmod(best, len(inside))
        return float(scores[first, last]), places[inside[first]][0], places[inside[last]][1]

    @classmethod
    def score(cls, outputs, rows, examples, _names):
        best = {}
        for output, (_, (_, places, example)) in zip(outputs, rows):
            span = cls.best_span(output, places)
            best[id(example)] = max(best.get(id(example), span), span)
        exact, f1 = [], []
        for example in examples:
            _, context, answers = example
            _, start, end = best[id(example)]
            exact.append(max(normalized(context[start:end]) == normalized(gold["text"]) for gold in answers))
            f1.append(max(word_f1(context[start:end], gold["text"]) for gold in answers))
        return {"exact_match": statistics.mean(exact), "f1": statistics.mean(f1)}


TASKS = {"classification": Classification, "tagging": Tagging, "answers": Answers}


def batches(rows, order, size, tokenizer, task):
    for begin in range(0, len(order), size):
        some = [rows[i] for i in order[begin : begin + size]]
        inputs = tokenizer.pad([encoding for encoding, _ in some], return_tensors="pt")
        yield inputs, task.collate([labels for _, labels in some], inputs["input_ids"].shape[1])


def make_optimizer(model, learning_rate):
    def decays(name):
        return not (name.endswith(".bias") or "LayerNorm" in name)

    named = list(model.named_parameters())
    groups = [
        {"params": [p for name, p in named if decays(name)], "weight_decay": 0.01},
        {"params": [p for name, p in named if not decays(name)], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, eps=1e-6, fused=True)


def forward(model, inputs, options):
    """Autocast around each call: as long as it lasts it keeps the weights that it has rounded, whatever becomes of them."""
    with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
        return model(**inputs)


def evaluate(model, rows, tokenizer, task, options):
    model.eval()
    outputs = []
    with torch.inference_mode():
        for inputs, _ in batches(rows, range(len(rows)), 32, tokenizer, task):
            batch = forward(model, inputs, options)
            outputs += [{key: value[i] for key, value in batch.items()} for i in range(len(inputs["input_ids"]))]
    return outputs


def train(options, seed):
    torch.manual_seed(seed)
    task = TASKS[options.task]
    examples, test_examples = (task.read(path, options) for path in (options.train, options.test))
    names = task.labels(examples)
    numbers = {name: i for i, name in enumerate(names)}
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = task.model_class.from_pretrained(options.model, num_labels=len(names))
    encode = lambda examples: [row for example in examples for row in task.encode(tokenizer, example, numbers, options)]
    begin = time.perf_counter()
    rows, test_rows = encode(examples), encode(test_examples)
    steps = options.epochs * -(-len(rows) // options.batch)
    warmup = steps // 10
    optimizer = make_optimizer(model, options.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warmup if s < warmup else (steps - s) / (steps - warmup)
    )
    shuffled = random.Random(seed)
    for _ in range(options.epochs):
        model.train()
        order = shuffled.sample(range(len(rows)), len(rows))
        for inputs, labels in batches(rows, order, options.batch, tokenizer, task):
            optimizer.zero_grad()
            forward(model, inputs | labels, options).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    training_s = time.perf_counter() - begin
    outputs = evaluate(model, test_rows, tokenizer, task, options)
    return {"seed": seed, "training_s": training_s} | task.score(outputs, test_rows, test_examples, names)


def main():
    options = parse_arguments()
    disable_progress_bar()
    set_verbosity_error()
    for seed in options.seeds:
        print(json.dumps(train(options, seed)), flush=True)


if __name__ == "__main__":
    main()
