"""Text preparation beside the tokenizers library: `bertha vocab` and its BPE trainer in turn, A B A B, so that both see
the same machine, with the ratio of their times; then what `bertha shard` makes of text of two sizes, a second and in
memory.

    python bench/compare_text.py corpus/*.txt --size 16000 --rounds 5
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# As `bertha vocab`: BERT's cleaning and splitting, pairs merged by frequency, `##` in front of what continues a word.
PEER = """
import sys
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
size, files = int(sys.argv[1]), sys.argv[2:]
tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokenizer.train(files, trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False))
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="plain text")
    parser.add_argument("--bertha", default=ROOT / "build/bin/bertha")
    parser.add_argument("--python", default=sys.executable, help="the Python that has the tokenizers library")
    parser.add_argument("--size", type=int, default=16000, help="tokens of the vocabulary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--sequence-length", type=int, default=128)
    parser.add_argument("--memory", default="512M", help="for bertha shard")
    parser.add_argument("--bytes", type=int, nargs=2, default=[40_000_000, 1_000_000_000], help="of text to shard")
    return parser.parse_args()


def run(command, threads):
    """Seconds and peak memory in MiB; the exit code must be 0."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
    begin = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(list(map(str, command)), env=environment, **quiet)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: status {status}")
    return seconds, usage.ru_maxrss / 1024


def print_row(name, values):
    print(f"{name:<34}{statistics.median(values):>10.2f}{min(values):>10.2f}{max(values):>10.2f}")


def compare_vocabularies(options, vocabulary):
    bertha = [options.bertha, "vocab", *options.files, "--size", options.size, "--output", vocabulary]
    peer = [options.python, "-c", PEER, options.size, *options.files]
    pairs = []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        pairs.append((run(bertha, options.threads), run(peer, options.threads)))
    print(f"{'':<34}{'median':>10}{'min':>10}{'max':>10}")
    print_row("bertha vocab, s", [ours[0] for ours, _ in pairs])
    print_row("tokenizers, s", [theirs[0] for _, theirs in pairs])
    print_row("times as fast", [theirs[0] / ours[0] for ours, theirs in pairs])
    print_row("bertha vocab, peak MiB", [ours[1] for ours, _ in pairs])
    print_row("tokenizers, peak MiB", [theirs[1] for _, theirs in pairs])


def write_text(path, files, size):
    """The files again and again, up to the last line end within `size` bytes. Never much in memory at a time, for a
    child's peak begins with what its parent has."""
    with open(path, "wb") as text:
        while text.tell() < size:
            for file in files:
                content = Path(file).read_bytes() + b"\n\n"
                text.write(content[: size - text.tell()])
    with open(path, "r+b") as text:
        text.seek(max(0, size - 65536))
        text.truncate(max(0, size - 65536) + text.read().rfind(b"\n") + 1)


def measure_shards(options, folder, vocabulary):
    for objective in ("mlm", "mlm_nsp"):
        peaks = []
        for size in options.bytes:
            text = folder / "text"
            write_text(text, options.files, size)
            directory = folder / f"shards-{objective}-{size}"
            command = [options.bertha, "shard", text, "--vocab", vocabulary, "--output", directory]
            command += ["--sequence-length", options.sequence_length, "--objective", objective]
            seconds, peak = run([*command, "--memory", options.memory, "--jobs", options.threads], options.threads)
            peaks.append(peak)
            print(f"bertha shard, {objective}, {size / 1e6:.0f} MB: {size / 1e6 / seconds:.1f} MB/s, peak {peak:.1f} MiB")
        print(f"bertha shard, {objective}: {peaks[1] / peaks[0]:.3f} times the memory")


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder) / "vocab.txt"
        compare_vocabularies(options, vocabulary)
        measure_shards(options, Path(folder), vocabulary)


if __name__ == "__main__":
    main()
