"""The model card: one page about a model for whoever has to answer for it. It holds no names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recommender.comparison import CANDIDATE, IN_USE, Comparison
from recommender.drift import Drift
from recommender.files import write
from recommender.registry import Manifest

FILE = "card.md"

ORDERS = {
    "candidate": "this model",
    "in_use": "model in use when it was made",
    "first_model": "model of the first day",
    "similarity": "likeness of texts only",
    "logged_order": "order that was shown",
    "random_order": "by chance",
}

CHECKS = {
    "enough_feedback": "enough feedback was held out",
    "better_than_in_use": "better than the model in use",
    "no_language_worse": "no language does worse",
    "not_below_similarity": "not worse than likeness of texts",
    "not_below_first_model": "not worse than the model of the first day",
    "monotone": "better is never worse",
    "features_allowed": "uses the allowed features only",
    "calibrated": "its chances come true",
}

PURPOSE = """\
It orders juniors for one request of a senior. A coordinator then approves a pair, or not.
It must not be used to judge a junior, nor to pay, promote or select staff."""

LIMITS = """\
- It was compared on slates that seniors had been shown. About juniors who were not on them it says nothing.
- Feedback shows what seniors chose and coordinators approved. That is not the same as what people learnt.
- How much a place is looked at is an estimate. With little exploration it is a rough one.
- Seniors were held out, not months. When questions change, look at drift and train again.
- The hard rules (consent, rank, places, do-not-pair) come before the model. It can't change them.
- A low chance is no verdict on a junior. It says only that this request fits others better."""


def write_card(
    folder: Path, manifest: Manifest, comparison: Comparison, facts: Mapping[str, str], drift: Drift | None = None
) -> None:
    """Write the card into a model's folder.

    Parameters
    ----------
    folder : Path
        Of the model.
    manifest : Manifest
        What the model is.
    comparison : Comparison
        How it did on held-out seniors.
    facts : mapping of str to str
        More lines for "made from", label to value.
    drift : Drift, optional
        From the earlier to the later half of the snapshot.
    """
    write(folder / FILE, card(manifest, comparison, facts, drift).encode())


def card(manifest: Manifest, comparison: Comparison, facts: Mapping[str, str], drift: Drift | None = None) -> str:
    """Return the card as Markdown."""
    parts = (
        f"# Model card: {manifest.id}",
        f"## What it is for\n\n{PURPOSE}",
        _made_from(manifest, facts),
        _quality(comparison),
        _chances(comparison),
        _fairness(comparison),
        _gate(manifest),
        _drift(drift),
        f"## Limits\n\n{LIMITS}\n",
    )
    return "\n\n".join(parts)


def _made_from(manifest: Manifest, facts: Mapping[str, str]) -> str:
    lines = {
        "made at": manifest.made_at,
        "learner": manifest.learner,
        "encoder": manifest.encoder,
        "started from": manifest.parent,
        "seed": str(manifest.seed),
        **{f"snapshot {name}": value for name, value in manifest.snapshot.items()},
        **{name.replace("_", " "): str(count) for name, count in manifest.trained_on.items()},
        **facts,
        **{f"version of {name}": version for name, version in manifest.versions.items()},
        "features": ", ".join(manifest.features),
    }
    return "## Made from\n\n" + _table(("what", "value"), [(name, value) for name, value in lines.items() if value])


def _quality(found: Comparison) -> str:
    rows = [
        (
            ORDERS.get(name, name),
            f"{line['ndcg']:.3f}",
            f"{line['low']:.3f} to {line['high']:.3f}",
            "" if name == IN_USE else f"{line['difference']:+.3f}",
            "" if name == IN_USE else f"{line['difference_low']:+.3f} to {line['difference_high']:+.3f}",
        )
        for name, line in found.table.items()
    ]
    mine = {name: lines[CANDIDATE] for name, lines in found.languages.items()}
    languages = [
        (name, str(found.language_slates[name]), f"{line['ndcg']:.3f}", f"{line['difference']:+.3f}")
        for name, line in mine.items()
    ]
    return (
        "## How well it orders\n\n"
        f"nDCG among those who were shown, on {found.slates} slates of {found.seniors} seniors that it never saw. "
        "Choices far down count for more, because few people look there. Intervals are 95%, over seniors.\n\n"
        + _table(("order", "nDCG", "interval", "against the model in use", "interval"), rows)
        + "\n\n"
        + _table(("language", "slates", "nDCG", "against the model in use"), languages)
    )


def _chances(found: Comparison) -> str:
    figures = found.chances.get(CANDIDATE)
    if not figures:
        return "## Are its chances true\n\nIts scores are no chances; they only order."
    bins = [
        (
            f"{each['from']:.1f} to {each['to']:.1f}",
            str(each["rows"]),
            f"{each['foretold']:.3f}",
            f"{each['found']:.3f}",
        )
        for each in found.reliability[CANDIDATE]
    ]
    return (
        f"## Are its chances true\n\nOn average a chance is {figures['ece']:.3f} off (ECE). Brier score "
        f"{figures['brier']:.3f}, log-loss {figures['log_loss']:.3f}.\n\n"
        + _table(("chance", "suggestions", "foretold", "found"), bins)
    )


def _fairness(found: Comparison) -> str:
    rows = [(ORDERS.get(name, name), f"{each.gini:.3f}") for name, each in found.exposure.items()]
    text = "## Who stands first\n\nGini of the first three places, over juniors who were shown; 0 is all alike.\n\n"
    text += _table(("order", "Gini"), rows)
    mine = found.exposure.get(CANDIDATE)
    if mine and mine.groups:
        shares = [(name, f"{mine.shown[name]:.3f}", f"{share:.3f}") for name, share in mine.groups.items()]
        text += "\n\n" + _table(("juniors", "share of those shown", "share of first three places"), shares)
    return text


def _gate(manifest: Manifest) -> str:
    rows = [
        (
            CHECKS.get(each["key"], each["key"]),
            "yes" if each["passed"] else "**no**",
            ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in each["numbers"].items()),
        )
        for each in manifest.gate
    ]
    passed = all(each["passed"] for each in manifest.gate)
    verdict = "It passed the gate." if passed else "It did not pass. Promoting it needs a written reason."
    return f"## Gate\n\n{verdict}\n\n" + _table(("check", "holds", "numbers"), rows)


def _drift(drift: Drift | None) -> str:
    head = "## What changed within the feedback\n\n"
    if drift is None or not drift.enough:
        return head + "There is too little feedback to say."
    moved = ", ".join(drift.moved) or "none"
    return head + f"Features that moved much from the earlier to the later half: {moved}."


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
