"""What Python offers for the tasks of the statistics benchmark, on data of the same shape.

Usage: time_statistics.py NAME [SHARE]. Makes the data of task NAME (a SHAREth of them), runs the reference once to warm up
where that is quick, then some times more, and prints `NAME seconds cpu-seconds megabytes`: medians, and the peak of
memory beside the data (`-` where the system does not tell).
"""

import statistics
import sys
import time

import numpy as np

B = 10_000
SLOW = 10.0  # seconds after which one run is enough
# Resamples that SciPy holds at once, where it was quickest: all of them at once would take gigabytes.
BATCH = 100
PERMUTATION_BATCH = 1000

rng = np.random.default_rng(1)


def bootstrap(values, method):
    from scipy import stats

    return lambda: stats.bootstrap((values,), np.mean, n_resamples=B, method=method, batch=BATCH, rng=rng)


def permutation(n):
    from scipy import stats

    differences = rng.random(n) - rng.random(n) + 0.005
    return lambda: stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=B,
        vectorized=True,
        batch=PERMUTATION_BATCH,
        rng=rng,
    )


def texts(pairs):
    syllables = ["ka", "lo", "mi", "ne", "ru", "sta", "ter", "vi", "on", "eb"]

    def word():
        number = int(rng.random() ** 3 * 5000)
        made = syllables[number % 7]
        while number > 0:
            made += syllables[number % 10]
            number //= 10
        return made + "," if rng.random() < 1 / 12 else made

    references = [[word() for _ in range(rng.integers(15, 35))] for _ in range(pairs)]
    hypotheses = [[word() if rng.random() < 0.2 else own for own in words] for words in references]
    return [" ".join(words) + "." for words in hypotheses], [" ".join(words) + "." for words in references]


def bleu(pairs):
    import sacrebleu

    hypotheses, references = texts(pairs)

    def run():
        # Its tokeniser remembers lines; a corpus is seen once.
        from sacrebleu.tokenizers import tokenizer_13a, tokenizer_re

        tokenizer_13a.Tokenizer13a.__call__.cache_clear()
        tokenizer_re.TokenizerRegexp.__call__.cache_clear()
        return sacrebleu.corpus_bleu(hypotheses, [references])

    return run


def rouge(pairs):
    from rouge_score import rouge_scorer

    hypotheses, references = texts(pairs)
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=False)
    return lambda: [scorer.score(theirs, own) for own, theirs in zip(hypotheses, references)]


def kappa(n):
    from sklearn.metrics import cohen_kappa_score

    first = rng.integers(0, 5, n)
    second = np.where(rng.random(n) < 0.2, rng.integers(0, 5, n), first)
    return lambda: cohen_kappa_score(first, second)


TASKS = {
    "percentile-continuous": lambda share: bootstrap(rng.random(10_000 // share) ** 3, "percentile"),
    "percentile-few-valued": lambda share: bootstrap(rng.binomial(3, 0.7, 10_000 // share).astype(float), "percentile"),
    "bca": lambda share: bootstrap(rng.random(100_000 // share) ** 3, "bca"),
    "permutation": lambda share: permutation(10_000 // share),
    "bleu": lambda share: bleu(10_000 // share),
    "rouge": lambda share: rouge(10_000 // share),
    "kappa": lambda share: kappa(1_000_000 // share),
}


def megabytes(field):
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith(field))
    except OSError:
        return None


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def main(name, share="1"):
    run = TASKS[name](int(share))
    reset_peak()
    before = megabytes("VmRSS")
    walls, cpus = [], []
    while not walls or (sum(walls) < SLOW and len(walls) < 6):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        if len(walls) == 1:
            after = megabytes("VmHWM")
    if len(walls) > 1:
        walls, cpus = walls[1:], cpus[1:]
    peak = "-" if before is None or after is None else after - before
    print(name, statistics.median(walls), statistics.median(cpus), peak)


main(*sys.argv[1:])
