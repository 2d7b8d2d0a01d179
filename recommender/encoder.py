"""Texts to vectors. Everything else sees the `Encoder` protocol only; heavy libraries load at the first text."""

import hashlib
import logging
import os
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender import weights
from recommender.errors import EncoderUnavailable
from recommender.settings import DEFAULT_ENCODER, PLAIN_ENCODER, Settings
from recommender.weights import Progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Backend = Literal["onnx", "torch"]
Place = tuple[int, int]
"""Of a word in a text: where it starts, and where it ends."""

BATCH = 32
"""Texts per call of the library: small enough for a progress bar that moves."""

LAYERS = 4
"""Of a model, evenly spaced, that tell the vectors of words."""

HASHING = "hashing"
CHARACTERS = "characters"


class Encoder(Protocol):
    """What turns texts into unit vectors."""

    @property
    def id(self) -> str:
        """Model, backend and a hash of weights and prompt; stored with each vector. Other ids don't compare."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def genuine(self) -> bool:
        """False if only characters are compared, which pages must say."""

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Encode texts.

        Parameters
        ----------
        texts : sequence of str
            In any order, of any length, with repeats. What is beyond the model's maximum length has no influence.
        progress : callable, optional
            Called with the number of different texts that are done and that there are.

        Returns
        -------
        ndarray of shape (n_texts, dim)
            Unit rows, in the order of `texts`. The same text has the same vector in any company.
        """
        ...


class WordEncoder(Protocol):
    """What turns the words of texts into vectors."""

    @property
    def word_dim(self) -> int:
        """Length of a vector."""

    def words(self, texts: Sequence[str], spans: Sequence[Sequence[Place]]) -> list[NDArray[np.float32]]:
        """Encode words in their context.

        Parameters
        ----------
        texts : sequence of str
            In any order, of any length.
        spans : sequence of sequence of (int, int)
            For each text, where its words start and end.

        Returns
        -------
        list of ndarray of shape (n_words, word_dim)
            One array for each text, one row for each of its words. A word beyond the model's maximum length has a row
            of zeros. Rows aren't scaled to unit length.
        """
        ...


class SentenceEncoder:
    """A sentence-transformers model. Loads at the first text; safe to share between threads.

    Parameters
    ----------
    name : str
        First part of the id.
    load : callable
        Returns the model. Called once, at most.
    backend : {"onnx", "torch"}
        What computes.
    prompt : str, optional
        Text before each text. None takes the model's own: its configured prompt for queries, else what e5 models
        were trained with, else nothing.
    revision : str
        Hash of the weights, if it is known without loading them.
    dim : int
        Length of a vector, if it is known without loading; else 0.
    """

    genuine = True

    def __init__(
        self,
        name: str,
        load: "Callable[[], SentenceTransformer]",
        *,
        backend: Backend = "torch",
        prompt: str | None = None,
        revision: str = "",
        dim: int = 0,
    ) -> None:
        self.name, self.backend = name, backend
        self._load = load
        self._model: SentenceTransformer | None = None
        self._prompt, self._revision, self._dim = prompt, revision, dim
        self._lock = threading.RLock()

    @property
    def id(self) -> str:
        """Name, backend, and a hash of weights and prompt. Loads the model if these aren't known."""
        if self._prompt is None or not self._revision:
            self.load()
        told = hashlib.sha256(f"{self._revision}\0{self._prompt}".encode()).hexdigest()
        return f"{self.name}/{self.backend}/{told[:12]}"

    @property
    def dim(self) -> int:
        """Length of a vector. Loads the model if it isn't known."""
        if not self._dim:
            self.load()
        return self._dim

    @property
    def word_dim(self) -> int:
        """Length of the vector of a word."""
        return LAYERS * self.dim

    def load(self) -> "SentenceTransformer":
        """Return the model, loaded if it isn't yet.

        Raises
        ------
        EncoderUnavailable
            If it can't be loaded, with the reason of the library.
        """
        with self._lock:
            if self._model is None:
                try:
                    self._model = self._load()
                except Exception as error:  # libraries raise nearly anything for a model that isn't there
                    why = (str(error).strip() or type(error).__name__).splitlines()[0]
                    raise EncoderUnavailable("encoder_load", name=self.name, why=why) from error
                self._dim = self._dim or int(self._model.get_embedding_dimension() or 0)
                self._prompt = _own_prompt(self.name, self._model) if self._prompt is None else self._prompt
                self._revision = self._revision or _hash_of_weights(self._model)
            return self._model

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        different, places = _different(texts)
        if not different:
            return np.zeros((0, self.dim), dtype=np.float32)
        # Texts of like length share a batch, so that little padding is computed; the longest first, so that what
        # doesn't fit in memory shows at once.
        order = sorted(range(len(different)), key=lambda index: -len(different[index]))
        with self._lock:
            model = self.load()
            vectors = np.empty((len(different), self.dim), dtype=np.float32)
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                vectors[chosen] = model.encode(
                    [different[index] for index in chosen],
                    prompt=self._prompt,
                    batch_size=BATCH,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
                if progress is not None:
                    progress(start + len(chosen), len(order))
        return vectors[places]

    def words(self, texts: Sequence[str], spans: Sequence[Sequence[Place]]) -> list[NDArray[np.float32]]:
        """See `WordEncoder.words`; the vector of a word is the mean of those of its tokens.

        Of the vectors in each quarter of the layers, beside each other: the first layers know the word, the last ones
        the sentence.
        """
        found = []
        with self._lock:
            model = self.load()
            prompt = self._prompt or ""
            # One text at a time: in a batch a vector would depend on its neighbours (see `onnx_module`).
            for text, each in zip(texts, spans, strict=True):
                offsets, vectors = _tokens(model, prompt + _cleaned(text))
                found.append(_means(offsets - len(prompt), vectors, each))
        return found


class HashingEncoder:
    """Runs of three to five characters, hashed. Knows spelling, not meaning; the same in every process.

    Parameters
    ----------
    id : str
        `HASHING` where a test asks for it, `CHARACTERS` where it stands in for an encoder that can't be loaded.
    dim : int
        Length of a vector.
    """

    genuine = False

    def __init__(self, id: str = HASHING, dim: int = 512) -> None:  # noqa: A002
        from sklearn.feature_extraction.text import HashingVectorizer

        self.id, self.dim, self.word_dim = id, dim, dim
        self._vectorizer = HashingVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), n_features=dim, norm="l2", alternate_sign=True
        )

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        different, places = _different(texts)
        if not different:
            return np.zeros((0, self.dim), dtype=np.float32)
        vectors = self._vectorizer.transform(different).toarray().astype(np.float32)
        vectors[~vectors.any(axis=1), 0] = 1.0  # nothing to hash, or signs that cancel out: still a unit vector
        if progress is not None:
            progress(len(different), len(different))
        found: NDArray[np.float32] = vectors[places]
        return found

    def words(self, texts: Sequence[str], spans: Sequence[Sequence[Place]]) -> list[NDArray[np.float32]]:
        """See `WordEncoder.words`; a word has the same vector in any company."""
        vectors = self.encode([text[a:b] for text, each in zip(texts, spans, strict=True) for a, b in each])
        ends = np.cumsum([len(each) for each in spans])
        return np.split(vectors, ends[:-1]) if len(texts) else []


def load_encoder(settings: Settings, progress: Progress | None = None) -> Encoder:
    """Return the encoder of the settings.

    The default one is unpacked first if that hasn't been done (about a minute, `progress` is called with percents),
    and loads at its first text. Another model loads at once, so that a wrong name is known now.

    Raises
    ------
    EncoderUnavailable
        If it can't be loaded here.
    StoreUnavailable
        If the default one can't be unpacked: a folder that can't be written, a full disk.
    """
    if settings.encoder == HASHING:
        return HashingEncoder(HASHING)
    prompt = settings.encoder_prompt or None
    if settings.encoder in (DEFAULT_ENCODER, PLAIN_ENCODER):
        _stay_offline()
        folder = weights.prepare(settings.home, progress, name=settings.encoder)
        return _default_encoder(folder, settings.encoder_backend, weights.PROMPT if prompt is None else prompt)
    if Path(settings.encoder).is_dir():
        _stay_offline()
    other = SentenceEncoder(
        Path(settings.encoder).name if Path(settings.encoder).is_dir() else settings.encoder,
        lambda: _torch_model(settings.encoder),
        prompt=prompt,
    )
    other.load()
    return other


def fallback_encoder() -> Encoder:
    """Return the encoder that always works. It compares characters; pages say so."""
    return HashingEncoder(CHARACTERS)


def _default_encoder(folder: Path, backend: Backend, prompt: str) -> SentenceEncoder:
    """Return the prepared encoder, on torch if the manifest says that its int8 copy can't be used."""
    manifest = weights.read_manifest(folder)
    if manifest is None:
        raise EncoderUnavailable("encoder_load", name=folder.name, why=str(folder / weights.MANIFEST))
    if not manifest.int8["usable"]:
        backend = "torch"
    model_file = weights.INT8 if backend == "onnx" else "model.safetensors"
    return SentenceEncoder(
        folder.name,
        (lambda: _onnx_model(folder)) if backend == "onnx" else (lambda: _torch_model(str(folder))),
        backend=backend,
        prompt=prompt,
        revision=manifest.files[model_file]["sha256"] + manifest.files["tokenizer.json"]["sha256"],
        dim=weights.DIM,
    )


def _onnx_model(folder: Path) -> "SentenceTransformer":
    quiet()
    from recommender.onnx_module import sentence_transformer

    return sentence_transformer(folder)


def _torch_model(name: str) -> "SentenceTransformer":
    quiet()
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(name, local_files_only=Path(name).is_dir())


def _stay_offline() -> None:
    """Forbid the libraries to look for anything on a hub. They read these variables when they are imported."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"


def quiet() -> None:
    """Keep the libraries' progress bars and remarks off the screen."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)


def _own_prompt(name: str, model: "SentenceTransformer") -> str:
    """Return what a model wants before a text: one prompt for requests and statements alike."""
    configured = model.prompts.get("query") or model.prompts.get(model.default_prompt_name or "")
    if configured:
        return str(configured)
    # The e5 models before the instructed ones were trained with "query: " but don't all say so in their configuration.
    is_e5 = re.search(r"(^|[^a-z0-9])e5([^a-z0-9]|$)", name.lower()) and "instruct" not in name.lower()
    return weights.PROMPT if is_e5 else ""


def _hash_of_weights(model: "SentenceTransformer") -> str:
    """Return a hash over each parameter: a folder may change under the same name."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _tokens(model: "SentenceTransformer", text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return where the tokens of a text start and end, and their vectors in each quarter of the layers."""
    module: Any = model[0]
    if hasattr(module, "layers"):
        places, vectors = module.layers(text)
        return np.array(places, dtype=np.intp).reshape(-1, 2), vectors
    import torch

    told = module.tokenizer(
        [text], return_offsets_mapping=True, truncation=True, max_length=module.max_seq_length, return_tensors="pt"
    )
    offsets = told.pop("offset_mapping")[0].numpy()
    inner = getattr(module, "auto_model", None) or module.model
    with torch.inference_mode():
        hidden = inner(**{name: each.to(model.device) for name, each in told.items()}, output_hidden_states=True)
    states = hidden.hidden_states[1:]
    chosen = [states[len(states) * quarter // LAYERS - 1][0] for quarter in range(1, LAYERS + 1)]
    return offsets.astype(np.intp), torch.cat(chosen, dim=-1).float().cpu().numpy()


def _means(offsets: NDArray[np.intp], vectors: NDArray[np.float32], spans: Sequence[Place]) -> NDArray[np.float32]:
    """Return for each span the mean vector of the tokens that share a character with it, shape (n_spans, dim)."""
    places = np.array(spans, dtype=np.intp).reshape(-1, 2)
    shares = (offsets[:, 1] > places[:, :1]) & (offsets[:, 0] < places[:, 1:]) & (offsets[:, 1] > offsets[:, 0])
    found: NDArray[np.float32] = shares.astype(np.float32) @ vectors / np.maximum(shares.sum(axis=1), 1)[:, None]
    return found.astype(np.float32)


def _cleaned(text: str) -> str:
    """Return a text that any tokenizer takes: half a surrogate pair, as JSON can carry it, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _different(texts: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """Return the different texts and, for each of `texts`, the place of its own.

    Raises
    ------
    TypeError
        If `texts` is one string: its letters would be taken for texts.
    """
    if isinstance(texts, str):
        raise TypeError(f"texts must be a sequence of strings, got one string: {texts[:40]!r}")
    cleaned = [_cleaned(text) for text in texts]
    places = {text: place for place, text in enumerate(dict.fromkeys(cleaned))}
    return list(places), np.array([places[text] for text in cleaned], dtype=np.intp)
