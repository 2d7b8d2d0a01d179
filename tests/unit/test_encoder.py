"""The promises of `Encoder`, kept by each encoder, and how one is chosen."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from recommender.encoder import CHARACTERS, HashingEncoder, SentenceEncoder, fallback_encoder, load_encoder
from recommender.errors import EncoderUnavailable
from recommender.settings import Settings
from recommender.weights import folder_of

ODD = [
    "😀🎉👩‍💻",
    "e\u0301é",
    "\u200b\u200b",
    "日本語のテキスト",
    "a\tb\r\nc",
    "</s> <mask>",
    "½ ﬁ Ⅷ",
    "\ud83d half a pair",
]


class StandIn:
    """A model that counts its loads and encodes a text as its length and the prompt's."""

    loads = 0
    prompts: dict = {"query": "", "document": ""}  # noqa: RUF012
    default_prompt_name = None

    def encode(self, texts, prompt, **options):
        """Return a row per text."""
        return np.array([[len(text), len(prompt), 1.0] for text in texts], dtype=np.float32)

    def get_embedding_dimension(self):
        """Return the length of a row."""
        return 3

    def state_dict(self):
        """Return no weights."""
        return {}


def stand_in(name="some-model", prompts=None, **arguments):
    """Return a `SentenceEncoder` over a `StandIn`, and that."""
    model = StandIn()
    model.prompts = prompts or StandIn.prompts

    def load():
        model.loads += 1
        time.sleep(0.05)  # long enough for other threads to come by
        return model

    return SentenceEncoder(name, load, **arguments), model


@pytest.fixture(scope="module", params=["hashing", "characters", "onnx", "torch"])
def encoder(request):
    """Each encoder that ships with the product."""
    if request.param == "hashing":
        return load_encoder(Settings(encoder="hashing"))
    if request.param == "characters":
        return fallback_encoder()
    home = request.getfixturevalue("encoder_home")
    return load_encoder(Settings(home=home, encoder_backend=request.param))


def test_vectors_are_float32_unit_rows(encoder):
    """One unit row of float32 for each text, odd and empty ones included."""
    vectors = encoder.encode(["Ik maak filmpjes", "", " ", *ODD])
    assert vectors.shape == (3 + len(ODD), encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder):
    """An empty list gives an array with no rows and the right width."""
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_a_text_has_one_vector_in_any_company(encoder):
    """A text has the same vector alone, twice, and among longer and shorter ones."""
    text = "Ik leer collega's draaitabellen in Excel."
    others = ["kort", "een veel langere tekst over heel andere dingen " * 8, *(f"tekst {i}" for i in range(70))]
    vectors = encoder.encode([text, *others, text])
    np.testing.assert_array_equal(vectors[0], vectors[-1])
    np.testing.assert_allclose(encoder.encode([text])[0], vectors[0], atol=2e-6)


def test_rows_keep_the_order_of_the_texts(encoder):
    """Sorting by length inside doesn't show outside."""
    texts = [f"{'heel ' * (i * 7 % 11)}lange zin {i}" for i in range(40)]
    together = encoder.encode(texts)
    for place in (0, 13, 39):
        np.testing.assert_allclose(encoder.encode([texts[place]])[0], together[place], atol=2e-6)


def test_a_very_long_text_is_encoded(encoder):
    """20,000 characters give a unit vector."""
    vector = encoder.encode(["Ik schrijf Python. " * 1053])
    assert vector.shape == (1, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-5)


def test_different_texts_have_different_vectors(encoder):
    """Two subjects don't fall together."""
    first, second = encoder.encode(["wachtwoorden beheren", "filmpjes monteren"])
    assert first @ second < 0.99


def test_progress_counts_different_texts_up_to_all(encoder):
    """Progress never goes back and ends at the number of different texts."""
    told = []
    encoder.encode([f"tekst {i % 40}" for i in range(80)], lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (40, 40)


def test_one_string_is_refused(encoder):
    """A bare string is no list of texts."""
    with pytest.raises(TypeError, match="one string"):
        encoder.encode("tekst")


def test_only_a_language_model_is_genuine(encoder_home):
    """Pages label what compares characters only."""
    assert load_encoder(Settings(home=encoder_home)).genuine
    assert not fallback_encoder().genuine
    assert fallback_encoder().id == CHARACTERS
    assert load_encoder(Settings(encoder="hashing")).id == "hashing"


def test_ids_tell_backends_and_prompts_apart(encoder_home):
    """Vectors of another backend or prompt get another id; the same settings get the same."""
    ids = {
        load_encoder(Settings(home=encoder_home, encoder_backend=backend, encoder_prompt=prompt)).id
        for backend in ("onnx", "torch")
        for prompt in (None, "passage: ")
    }
    assert len(ids) == 4
    assert load_encoder(Settings(home=encoder_home)).id in ids
    assert all(name.startswith("telemachos-e5-small/") for name in ids)


def test_hashing_is_the_same_in_another_process():
    """Vectors in a database fit those of tomorrow's process: nothing depends on the seed of Python's hash."""
    program = (
        "from recommender.encoder import HashingEncoder; print(HashingEncoder().encode(['draaitabel'])[0].tolist())"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path.cwd())
    np.testing.assert_array_equal(json.loads(found.stdout), HashingEncoder().encode(["draaitabel"])[0])


def test_the_default_encoder_never_reaches_for_the_network(encoder_home):
    """Loading and encoding open no connection, and the libraries are told to stay offline."""
    program = f"""
import os, socket
def refuse(*args, **kwargs):
    raise SystemExit("reached for the network")
socket.socket.connect = socket.getaddrinfo = refuse
for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
    os.environ.pop(name, None)
from recommender.encoder import load_encoder
from recommender.settings import Settings
for backend in ("onnx", "torch"):
    load_encoder(Settings(home={str(encoder_home)!r}, encoder_backend=backend)).encode(["tekst"])
import huggingface_hub.constants
print(huggingface_hub.constants.HF_HUB_OFFLINE, os.environ["TRANSFORMERS_OFFLINE"])
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert found.stdout.split() == ["True", "1"], found.stderr
    assert found.stderr == ""  # no progress bars, no remarks of the libraries


def test_choosing_an_encoder_imports_nothing_heavy(encoder_home):
    """Commands that encode nothing don't wait for torch."""
    program = f"""
import sys
from recommender.encoder import load_encoder
from recommender.settings import Settings
load_encoder(Settings(home={str(encoder_home)!r})).id
print(sorted({{"torch", "transformers", "onnxruntime"}} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert found.stdout.strip() == "[]"


def test_any_local_folder_can_be_the_encoder(encoder_home):
    """A folder is loaded by its path, with the prompt in its own configuration."""
    folder = folder_of(encoder_home)
    other = load_encoder(Settings(encoder=str(folder)))
    default = load_encoder(Settings(home=encoder_home, encoder_backend="torch"))
    texts = ["Ik wil leren hoe TikTok werkt"]
    np.testing.assert_allclose(other.encode(texts), default.encode(texts), atol=1e-6)
    assert other.genuine
    assert other.id.startswith("telemachos-e5-small/torch/")


def test_a_model_that_is_not_there_is_named(tmp_path):
    """A name or folder that can't be loaded is refused with the name and a reason, at once."""
    for name in ("nobody/no-such-model", str(tmp_path)):
        with pytest.raises(EncoderUnavailable, match="can't be loaded") as refused:
            load_encoder(Settings(encoder=name))
        assert Path(name).name in str(refused.value)
        assert "TELEMACHOS_ENCODER" in refused.value.sentence("nl")


@pytest.mark.parametrize(
    ("name", "configured", "setting", "expected"),
    [
        ("any", {"query": "zoek: "}, None, "zoek: "),
        ("any", {"query": "zoek: "}, "eigen: ", "eigen: "),
        ("intfloat/e5-base-v2", {"query": ""}, None, "query: "),
        ("intfloat/multilingual-e5-large-instruct", {"query": ""}, None, ""),
        ("all-MiniLM-L6-v2", {"query": ""}, None, ""),
        ("bge5000", {"query": ""}, None, ""),
    ],
)
def test_prompt_is_the_setting_else_the_models_own(name, configured, setting, expected):
    """The setting wins, then the model's configuration, then what e5 models are known to need."""
    encoder, _ = stand_in(name, configured, prompt=setting)
    assert encoder.encode(["tekst"])[0, 1] == len(expected)


def test_threads_share_one_model():
    """Eight threads that start at once load the model once."""
    encoder, model = stand_in()
    threads = [threading.Thread(target=encoder.encode, args=(["tekst"],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model.loads == 1


def test_repeats_are_encoded_once():
    """A text that occurs often costs as much as one."""
    seen = []
    encoder, model = stand_in()
    model.encode = lambda texts, **options: seen.extend(texts) or np.ones((len(texts), 3), dtype=np.float32)
    assert encoder.encode(["a", "bb", "a", "a"]).shape == (4, 3)
    assert sorted(seen) == ["a", "bb"]
