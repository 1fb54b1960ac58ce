"""Fine-tunes one model on several data sets with three seeds each, and on some of them with Hugging Face beside it by the
same recipe, and prints a table. What is finished is not done again, so the same command goes on where it stopped.

    python bench/compare_finetune.py --model MODEL --data DATA --output runs/results [sst2 wikigold ...]

DATA holds a folder a data set: sst2/train.tsv, dev.tsv; snips/train.tsv, dev.tsv, test.tsv; snli/train.tsv, test.tsv;
sts-images/train.tsv, test.tsv; wikigold/train.conll, test.conll; wnut17/train.conll, dev.conll, test.conll;
squad-dev-part/train.json with xquad-en/xquad.en.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = [1, 2, 3]


def recipe(config, metric, files, peer=None, peer_seeds=SEEDS, **overrides):
    return {
        "config": config,
        "metric": metric,
        "files": files,
        "peer": peer,
        "peer_seeds": peer_seeds,
        "overrides": overrides,
    }


# The last file is the one whose score counts; with a validation file the epoch that is best on it.
RECIPES = {
    "sst2": recipe(
        "classification",
        "test.accuracy",
        {"train": "sst2/train.tsv", "test": "sst2/dev.tsv"},
        peer={"task": "classification", "text-column": "sentence", "epochs": 3, "batch": 32},
    ),
    "snips": recipe(
        "intents",
        "test.joint_accuracy",
        {"train": "snips/train.tsv", "validation": "snips/dev.tsv", "test": "snips/test.tsv"},
        epochs=3,
    ),
    "snli": recipe("pairs", "test.accuracy", {"train": "snli/train.tsv", "test": "snli/test.tsv"}),
    "sts-images": recipe(
        "regression", "test.pearson", {"train": "sts-images/train.tsv", "test": "sts-images/test.tsv"}
    ),
    "wikigold": recipe(
        "tagging",
        "test.f1",
        {"train": "wikigold/train.conll", "test": "wikigold/test.conll"},
        peer={"task": "tagging", "epochs": 5, "batch": 16},
        layer_decay=1,
    ),
    "wnut17": recipe(
        "tagging",
        "test.f1",
        {"train": "wnut17/train.conll", "validation": "wnut17/dev.conll", "test": "wnut17/test.conll"},
        layer_decay=1,
    ),
    "squad": recipe(
        "answers",
        "test.f1",
        {"train": "squad-dev-part/train.json", "test": "xquad-en/xquad.en.json"},
        peer={"task": "answers", "epochs": 2, "batch": 16, "sequence-length": 384},
        peer_seeds=[1],
    ),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(RECIPES), help=f"of {', '.join(RECIPES)}; left out: all")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--bertha", default=ROOT / "build/bin/bertha")
    parser.add_argument("--python", default=sys.executable, help="the Python that has PyTorch and transformers")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="of both sides' runs")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def run(command, log, environment):
    with open(log, "a") as file:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=file, text=True, env=os.environ | environment)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}, see {log}")
    return result.stdout


def training_seconds(run_directory):
    """Of the steps and evaluations, without what comes before and after them. The clock starts again with the run."""
    lines = (run_directory / "metrics.jsonl").read_text().splitlines()
    elapsed = [json.loads(line)["elapsed_s"] for line in lines]
    return sum(now for now, after in zip(elapsed, [*elapsed[1:], 0]) if after < now)


def run_bertha(options, name, recipe):
    output = options.output / name
    output.mkdir(parents=True, exist_ok=True)
    files = {"validation": "null", "test": "null"} | {key: options.data / file for key, file in recipe["files"].items()}
    overrides = [f"data.{key}={value}" for key, value in files.items()]
    overrides += [f"training.{key}={value}" for key, value in recipe["overrides"].items()]
    overrides.append(f"training.precision={options.precision}")
    config = ROOT / f"configs/finetune-{recipe['config']}.yaml"
    command = [options.bertha, "finetune", config, f"model.initialize_from={options.model}", *overrides]
    command += [f"seeds={SEEDS}", f"output={output}"]
    if not (output / "results.json").exists():
        run(command, output / "log.txt", {"OMP_NUM_THREADS": str(options.threads)})
    values = json.loads((output / "results.json").read_text())[recipe["metric"]]["values"]
    return values, [training_seconds(output / f"seed-{seed}") for seed in SEEDS]


def run_peer(options, name, recipe):
    """One line a seed in peer.jsonl; those that are there are not done again."""
    output = options.output / name
    results = output / "peer.jsonl"
    done = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    test = options.data / list(recipe["files"].values())[-1]
    command = [options.python, ROOT / "bench/peer_finetune.py", options.model]
    command += ["--train", options.data / recipe["files"]["train"], "--test", test]
    for key, value in (recipe["peer"] | {"precision": options.precision}).items():
        command += [f"--{key}", str(value)]
    for seed in recipe["peer_seeds"]:
        if seed in [result["seed"] for result in done]:
            continue
        line = run([*command, "--seeds", str(seed)], output / "log.txt", {"OMP_NUM_THREADS": str(options.threads)})
        with open(results, "a") as file:
            file.write(line)
        done.append(json.loads(line))
    metric = recipe["metric"].split(".")[1]
    return [result[metric] for result in done], [result["training_s"] for result in done]


def cell(values):
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}"


def main():
    options = parse_arguments()
    print("| data | metric | Bertha | seconds a run | Hugging Face | seconds a run | times as fast |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in options.names:
        recipe = RECIPES.get(name) or sys.exit(f"{name}: no such data set (expected of {', '.join(RECIPES)})")
        values, seconds = run_bertha(options, name, recipe)
        row = f"| {name} | {recipe['metric']} | {cell(values)} | {statistics.median(seconds):.0f} |"
        if recipe["peer"]:
            peer, peer_seconds = run_peer(options, name, recipe)
            ratio = statistics.median(peer_seconds) / statistics.median(seconds)
            print(f"{row} {cell(peer)} | {statistics.median(peer_seconds):.0f} | {ratio:.2f} |", flush=True)
        else:
            print(f"{row} | | |", flush=True)


if __name__ == "__main__":
    main()
