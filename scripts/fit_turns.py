"""Fit what reads turns on ``data/conversation``, write it to ``models/turns``, and print the figures of its manifest.

    python scripts/fit_turns.py [--quick | --search]

Takes about twelve minutes; ``--quick`` leaves out cross-validation, and so the constants that it sets.
``--search`` writes nothing: it prints the log-loss of the acts in cross-validation for other strengths and scales than
those of `turn_fit`, which were chosen with it.
"""

import json
import sys

from recommender.bootstrap import load_parts
from recommender.encoder import SentenceEncoder, load_encoder
from recommender.settings import load_settings
from recommender.turn_fit import Effort, fit, save, search
from recommender.turn_reader import FOLDER
from recommender.utterances import read_fillers, read_styles, read_utterances

if __name__ == "__main__":
    settings = load_settings()
    words = load_encoder(settings)
    if not isinstance(words, SentenceEncoder):
        sys.exit("These are no sentence vectors: see TELEMACHOS_ENCODER.")
    encoder = load_parts(settings).encoder
    if "--search" in sys.argv[1:]:
        print(json.dumps(search(encoder, words, read_utterances()), indent=2))
    else:
        effort = Effort(folds=0) if "--quick" in sys.argv[1:] else Effort()
        arrays, manifest = fit(encoder, words, read_utterances(), read_styles(), read_fillers(), effort)
        print(json.dumps(save(settings.models / FOLDER, arrays, manifest).metrics, indent=2))
