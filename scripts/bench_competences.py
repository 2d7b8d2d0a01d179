"""Print how well competences and levels are read, beside plain methods, as Markdown.

    python scripts/bench_competences.py folder

The folder holds the benchmark folders. Our own test texts are in data/competences/test.jsonl; what they can and can't
show is told in data/competences/README.md. Intervals are 95% bootstrap intervals over texts.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.multiclass import OneVsRestClassifier
from threadpoolctl import threadpool_limits

from recommender.benchmarks import read_judgements, read_texts
from recommender.bootstrap import load_parts
from recommender.competence_texts import Example, read_examples
from recommender.competences import FOLDER, CompetenceReader, load_reader
from recommender.domain import HELPER_LEVEL
from recommender.encoder import Encoder
from recommender.evaluation import interval, ndcg_at_k
from recommender.framework import digital_skills, framework
from recommender.settings import ROOT, load_settings

TEST = ROOT / "data" / "competences" / "test.jsonl"
CODES = framework().codes
DRAWS = 1000
BINS = 10
LINKED = (("vdab_esco_nl", "digital"), ("skill_sentences_en", None))

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def main(folder: Path, encoder: Encoder, reader: CompetenceReader) -> None:
    """Print every table."""
    training, test = read_examples(), read_examples(TEST)
    vectors = encoder.encode([each.text for each in test])
    print(f"Encoder {encoder.id}; {len(training)} training texts, {len(test)} test texts.\n")
    with threadpool_limits(limits=1):  # small fits: threads that wait for each other make them much slower
        competences(encoder, reader, training, test, vectors)
    calibration(reader, test, vectors)
    not_knowing(reader, test, vectors)
    levels(reader, test, vectors)
    digital_or_not(folder / "vdab_esco_nl", encoder, reader)
    for name, split in LINKED:
        linking(folder / name, split, encoder, reader)


def competences(
    encoder: Encoder,
    reader: CompetenceReader,
    training: list[Example],
    test: list[Example],
    vectors: NDArray[np.float32],
) -> None:
    """Print F1 of what is named, for the product and two plain methods with thresholds set on the training texts."""
    known, true = labels(training), labels(test)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    table = characters.fit_transform([each.text for each in training])

    def plain(rows: NDArray[np.intp], asked: object) -> Floats:
        model = OneVsRestClassifier(LogisticRegression(C=30, class_weight="balanced", max_iter=300))
        return np.asarray(model.fit(table[rows], known[rows]).predict_proba(asked))

    held = np.zeros(known.shape)
    for rows, out in GroupKFold(5).split(table, groups=[each.groups[0] for each in training]):
        held[out] = plain(rows, table[out])
    asked = characters.transform([each.text for each in test])
    described = [
        encoder.encode([f"{each.name[language]}. {each.plain[language]}" for each in framework().competences])
        for language in ("nl", "en")
    ]
    near = [
        np.maximum(*(rows @ each.T for each in described))
        for rows in (encoder.encode([each.text for each in training]), vectors)
    ]
    systems = {
        "product": named(reader, vectors),
        "TF-IDF characters, logistic regression": plain(np.arange(len(training)), asked) >= best_threshold(known, held),
        "nearest description": near[1] >= best_threshold(known, near[0]),
    }
    languages = np.array([each.lang for each in test])
    print("| competences | micro F1 | macro F1 | Dutch | English | mixed |\n|---|---|---|---|---|---|")
    for name, found in systems.items():
        micro = with_interval(lambda rows, found=found: f1(true[rows], found[rows]), len(test))
        macro = with_interval(lambda rows, found=found: f1(true[rows], found[rows], "macro"), len(test))
        each = [
            f"{f1(true[languages == language], found[languages == language]):.3f}" for language in ("nl", "en", "mixed")
        ]
        print(f"| {name} | {micro} | {macro} | " + " | ".join(each) + " |")
    some, first = true.any(axis=1), reader.chances(vectors).argmax(axis=1)
    right = true[some, first[some]]
    areas = np.array([code[0] for code in CODES])
    near_right = np.array([areas[place] in areas[row] for row, place in zip(true[some], first[some], strict=True)])
    print(f"\nSurest competence is right: {with_interval(lambda rows: right[rows].mean(), len(right))}")
    print(f"Its area is right: {with_interval(lambda rows: near_right[rows].mean(), len(right))}\n")


def calibration(reader: CompetenceReader, test: list[Example], vectors: NDArray[np.float32]) -> None:
    """Print how far chances are from shares, over all pairs of text and competence and over the surest of each text."""
    true, chances = labels(test), reader.chances(vectors)
    surest = chances.argmax(axis=1)[:, None]
    print(f"| calibration | ECE, {BINS} bins | Brier | Brier of the base rate |\n|---|---|---|---|")
    for name, told, right in (
        ("all pairs of text and competence", chances.ravel(), true.ravel()),
        ("surest of each text", *(np.take_along_axis(each, surest, axis=1)[:, 0] for each in (chances, true))),
    ):
        base = right.mean() * (1 - right.mean())
        print(f"| {name} | {ece(told, right):.3f} | {brier_score_loss(right, told):.4f} | {base:.4f} |")
    print()


def not_knowing(reader: CompetenceReader, test: list[Example], vectors: NDArray[np.float32]) -> None:
    """Print how often something is named, and whether nothing is said where nothing digital was asked."""
    digital, said = labels(test).any(axis=1), named(reader, vectors).any(axis=1)
    print(f"Something named where something digital was meant (coverage): {said[digital].mean():.3f}")
    print(f'"Don\'t know" where nothing digital was meant: {(~said)[~digital].mean():.3f}')
    print(f'"Don\'t know" that was right: {(~digital)[~said].mean():.3f} of {(~said).sum()}')
    print(f"AUROC of anything digital: {roc_auc_score(digital, reader.digital(vectors)):.3f}\n")


def levels(reader: CompetenceReader, test: list[Example], vectors: NDArray[np.float32]) -> None:
    """Print whether a level is named where one is told, and how far off it is."""
    true = np.array([each.level or np.nan for each in test])
    read = np.array([each.level if each.level is not None else np.nan for each in reader.read(vectors)])
    told, said = ~np.isnan(true), ~np.isnan(read)
    error = np.abs(read - true)[told & said]
    helper = ((read >= HELPER_LEVEL - 0.5) == (true >= HELPER_LEVEL))[told & said]
    print(
        f"Level told in {told.sum()} texts: named in {said[told].mean():.3f}, and in {said[~told].mean():.3f} of others"
    )
    print(f"Level: mean absolute error {error.mean():.2f}, within one level {(error <= 1).mean():.3f}")
    print(f"Level: always 4.5 would err {np.abs(4.5 - true[told]).mean():.2f}")
    print(f"Level: on the right side of {HELPER_LEVEL}, from where somebody helps others: {helper.mean():.3f}\n")


def digital_or_not(folder: Path, encoder: Encoder, reader: CompetenceReader) -> None:
    """Print how well digital phrases of the Flemish employment service are told from others."""
    queries, split = read_texts(folder / "queries.jsonl"), splits(folder)
    chances = reader.digital(encoder.encode([each.text for each in queries]))
    true = np.array([split[each.id] == "digital" for each in queries])
    called = chances >= reader.manifest.digital_floor
    area = with_interval(lambda rows: roc_auc_score(true[rows], chances[rows]), len(true))
    print(f"{folder.name}: AUROC of digital {area}")
    print(f"{folder.name}: at the floor, recall {called[true].mean():.3f}, false alarms {called[~true].mean():.3f}")


def linking(folder: Path, split: str | None, encoder: Encoder, reader: CompetenceReader) -> None:
    """Print whether a query and its judged skills are read alike, and how well the encoder finds the skills.

    Both sides are read by the same reader: this shows that it is steady from sentence to name, not that it is right.
    """
    queries, candidates = read_texts(folder / "queries.jsonl"), read_texts(folder / "candidates.jsonl")
    judged, of_split = read_judgements(folder / "qrels.tsv"), splits(folder)
    queries = tuple(each for each in queries if each.id in judged and (split is None or of_split[each.id] == split))
    asked, offered = (encoder.encode([each.text for each in texts]) for texts in (queries, candidates))
    place = {each.id: number for number, each in enumerate(candidates)}
    gains, grades = [], np.zeros(len(candidates))
    for query, vector in zip(queries, asked, strict=True):
        grades[:] = 0
        for candidate, grade in judged[query.id].items():
            grades[place[candidate]] = grade
        gains.append(ndcg_at_k(grades[np.argsort(-(offered @ vector), kind="stable")]))
    low, high = interval(np.array(gains))
    print(f"{folder.name}: nDCG@10 of ESCO names by the encoder {np.mean(gains):.3f} ({low:.3f} to {high:.3f})")

    of_queries, of_skills = named(reader, asked), named(reader, offered)
    relevant = np.array([of_skills[[place[each] for each in judged[query.id]]].any(axis=0) for query in queries])
    rows = np.flatnonzero(of_queries.any(axis=1) & relevant.any(axis=1))
    alike, top = relevant[rows], reader.chances(asked[rows]).argmax(axis=1)
    # Chance keeps how common each competence is: the queries change places.
    rng = np.random.default_rng(0)
    chance = np.mean([alike[rng.permutation(len(rows)), top].mean() for _ in range(200)])
    agreed = with_interval(lambda drawn: alike[drawn, top[drawn]].mean(), len(rows))
    print(f"{folder.name}: surest competence is among those of its skills {agreed}, by chance {chance:.3f}")
    print(f"{folder.name}: that is over {len(rows)} of {len(queries)} queries, where both sides name any")
    nearest(folder.name, [judged[query.id] for query in queries], asked, encoder, reader)


def nearest(
    name: str, judged: list[dict[str, int]], asked: NDArray[np.float32], encoder: Encoder, reader: CompetenceReader
) -> None:
    """Print how often the nearest skill of the list is a judged one, beside the confidence that was given."""
    bank = digital_skills()
    ids = [each.id for each in bank]
    rows = [row for row, grades in enumerate(judged) if grades.keys() & set(ids)]
    if not rows:  # the English set numbers its skills its own way
        return
    found = reader.skills(asked[rows], encoder.encode([each.text for each in bank]), ids, k=1)
    right = np.array([one.code in judged[row] for row, (one,) in zip(rows, found, strict=True)])
    confidence = np.array([one.confidence for (one,) in found])
    print(f"{name}: nearest of {len(ids)} digital skills is a judged one {right.mean():.3f} ({len(rows)} queries)")
    print(
        f"{name}: mean confidence {confidence.mean():.3f}, AUROC of confidence {roc_auc_score(right, confidence):.3f}"
    )


def labels(examples: list[Example]) -> Mask:
    """Return which competences each text is about, shape ``(n_texts, n_codes)``."""
    return np.array([[code in each.codes for code in CODES] for each in examples])


def named(reader: CompetenceReader, vectors: NDArray[np.float32]) -> Mask:
    """Return which competences are named, shape ``(n_texts, n_codes)``."""
    return reader.named(vectors) > 0


def splits(folder: Path) -> dict[str, str]:
    """Return the part each query belongs to."""
    lines = (folder / "splits.tsv").read_text(encoding="utf-8").splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


def best_threshold(true: Mask, scores: Floats) -> float:
    """Return the score from which naming gives the best micro F1."""
    tried = np.quantile(scores, np.linspace(0.5, 0.999, 200))
    return float(max(tried, key=lambda threshold: f1(true, scores >= threshold)))


def f1(true: Mask, found: Mask, average: str = "micro") -> float:
    """Return F1; a competence that nobody meant and nobody named counts as 0 in the macro mean."""
    hits, meant, said = (
        (each.sum() if average == "micro" else each.sum(axis=0)) for each in (true & found, true, found)
    )
    return float(np.mean(2 * hits / np.maximum(meant + said, 1)))


def ece(chances: Floats, true: Mask) -> float:
    """Return the expected calibration error: the mean gap of chance and share, over bins of equal width (Guo, 2017)."""
    place = np.minimum((chances * BINS).astype(int), BINS - 1)
    gaps = [
        abs(chances[place == each].mean() - true[place == each].mean()) * (place == each).mean() for each in set(place)
    ]
    return float(sum(gaps))


def with_interval(measure: Callable[[NDArray[np.intp]], float], n: int) -> str:
    """Return a figure with its bootstrap interval over `n` texts."""
    rng = np.random.default_rng(0)
    low, high = np.percentile([measure(rng.integers(0, n, n)) for _ in range(DRAWS)], [2.5, 97.5])
    return f"{measure(np.arange(n)):.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    settings = load_settings()
    main(Path(sys.argv[1]), load_parts(settings).encoder, load_reader(settings.models / FOLDER))
