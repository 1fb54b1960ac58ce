"""Runs `bertha bench` and its PyTorch peer in turn, A B A B, so that both see the same machine, and prints the ratios.

Options that both know go to both:
    python bench/compare.py --size base --batch 16 --dtype f32 --steps 5 --rounds 3 --threads 2
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# As it comes, glibc gives activations back to the kernel every step and the peer pays for the page faults; kept, they
# make it faster and its peak memory about a tenth higher.
MALLOC = {"tuned": {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184"}, "plain": {}}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--bertha", default=ROOT / "build/bin/bertha")
    parser.add_argument("--python", default=sys.executable, help="the Python that has PyTorch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--decode", choices=["all", "masked"], default="masked", help="rows the peer decodes")
    parser.add_argument("--malloc", choices=MALLOC, default="tuned", help="for the peer; plain to compare memory")
    return parser.parse_known_args()


def run(command, environment):
    result = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}")
    return json.loads(result.stdout)


def measure(options, shared_options):
    """(bertha, peer) reports, one pair a round."""
    threads = {"OMP_NUM_THREADS": str(options.threads)}
    bertha = [options.bertha, "bench", *shared_options, "--json"]
    peer = [options.python, ROOT / "bench/peer_pytorch.py", *shared_options, "--decode", options.decode]
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        yield run(bertha, threads), run(peer, threads | MALLOC[options.malloc])


def print_row(name, values):
    print(f"{name:<26}{statistics.median(values):>12.3f}{min(values):>12.3f}{max(values):>12.3f}")


def print_table(pairs):
    print(f"{'':<26}{'median':>12}{'min':>12}{'max':>12}")
    for key in ("tokens_per_s", "step_s", "peak_rss_mib"):
        print_row(f"bertha {key}", [bertha[key] for bertha, _ in pairs])
        print_row(f"peer   {key}", [peer[key] for _, peer in pairs])
    print_row("times as fast", [bertha["tokens_per_s"] / peer["tokens_per_s"] for bertha, peer in pairs])
    print_row("share of its memory", [bertha["peak_rss_mib"] / peer["peak_rss_mib"] for bertha, peer in pairs])


def main():
    print_table(list(measure(*parse_arguments())))


if __name__ == "__main__":
    main()
