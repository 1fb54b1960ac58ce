"""Fine-tunes the same model on the same file with Hugging Face transformers, by the same recipe as `bertha finetune`:
AdamW without decay on biases and LayerNorm, a tenth of warm-up, linear decay, clipping, batches padded to their longest.

    python bench/peer_finetune.py MODEL --task classification --train train.tsv --test dev.tsv --text-column sentence
    python bench/peer_finetune.py MODEL --task tagging --train train.conll --test test.conll
Prints one JSON object a seed.
"""

import argparse
import csv
import json
import random
import time

import torch
from seqeval.metrics import f1_score
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

IGNORED = -100


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--task", choices=["classification", "tagging"], required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--sequence-length", type=int, default=128)
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


class Classification:
    model_class = AutoModelForSequenceClassification
    read = staticmethod(read_table)

    @staticmethod
    def labels(examples):
        return sorted({label for _, label in examples})

    @staticmethod
    def encode(tokenizer, example, numbers, length):
        return tokenizer(example[0], truncation=True, max_length=length), numbers[example[1]]

    @staticmethod
    def collate_labels(labels, _width):
        return torch.tensor(labels)

    @staticmethod
    def score(logits, labels, _names):
        hits = sum(int((l.argmax(-1) == y).sum()) for l, y in zip(logits, labels))
        return {"accuracy": hits / sum(len(y) for y in labels)}


class Tagging:
    model_class = AutoModelForTokenClassification
    read = staticmethod(read_conll)

    @staticmethod
    def labels(examples):
        return sorted({tag for _, tags in examples for tag in tags})

    @staticmethod
    def encode(tokenizer, example, numbers, length):
        """A tag at the first piece of each word."""
        words, tags = example
        encoding = tokenizer(words, is_split_into_words=True, truncation=True, max_length=length)
        labels, before = [], None
        for word in encoding.word_ids():
            labels.append(IGNORED if word is None or word == before else numbers[tags[word]])
            before = word
        return encoding, labels

    @staticmethod
    def collate_labels(labels, width):
        return torch.tensor([row + [IGNORED] * (width - len(row)) for row in labels])

    @staticmethod
    def score(logits, labels, names):
        gold, predicted = [], []
        for batch, wanted in zip(logits, labels):
            for row, tags in zip(batch.argmax(-1), wanted):
                kept = tags != IGNORED
                gold.append([names[i] for i in tags[kept]])
                predicted.append([names[i] for i in row[kept]])
        return {"f1": f1_score(gold, predicted)}


TASKS = {"classification": Classification, "tagging": Tagging}


def batches(examples, order, size, tokenizer, task):
    for begin in range(0, len(order), size):
        some = [examples[i] for i in order[begin : begin + size]]
        inputs = tokenizer.pad([encoding for encoding, _ in some], return_tensors="pt")
        yield inputs, task.collate_labels([labels for _, labels in some], inputs["input_ids"].shape[1])


def make_optimizer(model, learning_rate):
    def decays(name):
        return not (name.endswith(".bias") or "LayerNorm" in name)

    named = list(model.named_parameters())
    groups = [
        {"params": [p for name, p in named if decays(name)], "weight_decay": 0.01},
        {"params": [p for name, p in named if not decays(name)], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, eps=1e-6, fused=True)


def evaluate(model, examples, names, tokenizer, task):
    model.eval()
    logits, labels = [], []
    with torch.inference_mode():
        for inputs, wanted in batches(examples, range(len(examples)), 32, tokenizer, task):
            logits.append(model(**inputs).logits)
            labels.append(wanted)
    return task.score(logits, labels, names)


def train(options, seed):
    torch.manual_seed(seed)
    task = TASKS[options.task]
    train_rows, test_rows = (task.read(path, options) for path in (options.train, options.test))
    names = task.labels(train_rows)
    numbers = {name: i for i, name in enumerate(names)}
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = task.model_class.from_pretrained(options.model, num_labels=len(names))
    encode = lambda rows: [task.encode(tokenizer, row, numbers, options.sequence_length) for row in rows]
    begin = time.perf_counter()
    examples, test = encode(train_rows), encode(test_rows)
    steps = options.epochs * -(-len(examples) // options.batch)
    warmup = steps // 10
    optimizer = make_optimizer(model, options.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warmup if s < warmup else (steps - s) / (steps - warmup)
    )
    shuffled = random.Random(seed)
    for _ in range(options.epochs):
        model.train()
        order = shuffled.sample(range(len(examples)), len(examples))
        for inputs, labels in batches(examples, order, options.batch, tokenizer, task):
            optimizer.zero_grad()
            model(**inputs, labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    training_s = time.perf_counter() - begin
    return {"seed": seed, "training_s": training_s} | evaluate(model, test, names, tokenizer, task)


def main():
    options = parse_arguments()
    disable_progress_bar()
    set_verbosity_error()
    for seed in options.seeds:
        print(json.dumps(train(options, seed)), flush=True)


if __name__ == "__main__":
    main()
