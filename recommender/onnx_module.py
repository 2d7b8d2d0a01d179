"""The int8 copy of the default encoder: made once, checked against torch, then run by onnxruntime.

Importing this module imports torch: only `recommender.encoder` and `recommender.weights` do so, inside functions.

sentence-transformers has an ONNX backend of its own, but through optimum-onnx, which pins transformers below 4.58,
while sentence-transformers 6 needs 5 or later. So the session is a small module of ours; the rest is the library's.

Notes
-----
Measured on 200 short Dutch and English texts: cosine to torch float32, mean (minimum), and processor time of two cores.

================================================== =============== =========
copy                                               cosine          seconds
================================================== =============== =========
float32                                            1.0000 (1.0000) 2.2
int8, one scale per matrix                         0.9900 (0.9816) 1.1
uint8, one scale per matrix                        0.9946 (0.9904) 1.6
int8, one scale per channel                        0.9975 (0.9950) 1.1
the same, without the last matrix of each layer    0.9990 (0.9978) 1.6
4-bit weights in blocks (MatMulNBits)              0.9999 (0.9999) 2.0
int8 per channel, smoothed                         0.9993 (0.9980) 1.2
the same in 7 bits (``reduce_range``)              0.9989 (0.9976) 1.2
================================================== =============== =========

The last is the choice: processors without VNNI instructions overflow silently on 8 bits, and the folder may be
copied to one.
"""

import os
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import InputModule, Normalize, Pooling
from tokenizers import Tokenizer

from recommender.encoder import quiet
from recommender.weights import DIM, INT8, MAX_TOKENS, PROMPT, Progress

SMOOTHING = 0.65
"""Share of the spread between channels that moves from the activations to the weights; 0.5 and 0.75 were worse."""


LAST = "last_hidden_state"


@dataclass(frozen=True)
class Agreement:
    """How near the vectors of a copy are to those of the original.

    `cosine_mean` and `cosine_min` are over all texts. `spearman_mean` is over requests: the rank correlation of all
    statements, in [-1, 1]. `top3_mean` is over requests: the share of the three best statements that are the same.
    """

    cosine_mean: float
    cosine_min: float
    spearman_mean: float
    top3_mean: float

    @property
    def enough(self) -> bool:
        """Whether the copy may stand in for the original."""
        return self.cosine_mean >= 0.99 and self.spearman_mean >= 0.95 and self.top3_mean >= 0.8


def agreement(original: NDArray[np.float32], copy: NDArray[np.float32], n_requests: int) -> Agreement:
    """Compare two encodings of the same texts.

    Parameters
    ----------
    original, copy : ndarray of shape (n_texts, dim)
        Unit rows; the first `n_requests` are requests, the others at least three statements.

    Examples
    --------
    >>> vectors = np.eye(5, 4, dtype=np.float32)
    >>> vectors[0] = [0.1, 0.9, 0.4, 0.2]
    >>> agreement(vectors, vectors, 1).top3_mean
    1.0
    """
    scores, scores_copy = (vectors[:n_requests] @ vectors[n_requests:].T for vectors in (original, copy))
    ranks, ranks_copy = ((-table).argsort(axis=1).argsort(axis=1) for table in (scores, scores_copy))
    cosines = (original * copy).sum(axis=1)
    spearman = [np.corrcoef(one, other)[0, 1] for one, other in zip(ranks, ranks_copy, strict=True)]
    same = ((ranks < 3) & (ranks_copy < 3)).sum(axis=1) / 3
    return Agreement(float(cosines.mean()), float(cosines.min()), float(np.mean(spearman)), float(same.mean()))


class OnnxTokens(InputModule):
    """First module of a `SentenceTransformer`: tokens and their embeddings by onnxruntime.

    Parameters
    ----------
    folder : str or Path
        A prepared folder with ``tokenizer.json`` and the int8 copy.
    graph : str or Path, optional
        Another graph than the one in the folder.
    """

    def __init__(self, folder: str | Path, graph: str | Path | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.folder = Path(folder)
        self.tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding(pad_id=1, pad_token="<pad>")  # noqa: S106
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        options.log_severity_level = 3
        # A thread that waits must not spin: several people talk at once, and there are few cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        content, self._inner = with_inner_outputs(Path(graph or self.folder / INT8))
        self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def preprocess(  # type: ignore[override]  # the library's modules for text take texts only, as this one does
        self, inputs: Sequence[str], prompt: str | None = None, **kwargs: object
    ) -> dict[str, torch.Tensor]:
        """Return ``input_ids`` and ``attention_mask``, each of shape (n_texts, longest)."""
        encodings = self.tokenizer.encode_batch([(prompt or "") + text for text in inputs])
        return {
            "input_ids": torch.tensor([encoding.ids for encoding in encodings]),
            "attention_mask": torch.tensor([encoding.attention_mask for encoding in encodings]),
        }

    def forward(self, features: dict[str, Any], **kwargs: object) -> dict[str, Any]:
        """Add ``token_embeddings`` of shape (n_texts, longest, dim)."""
        ids, mask = features["input_ids"], features["attention_mask"]
        embeddings = torch.zeros((*ids.shape, DIM))
        # One text at a time: the int8 scale of an activation spans the whole batch, so that in a batch a vector would
        # depend on its neighbours (cosine down to 0.994). It is no slower either: there is no padding to compute.
        for row, length in enumerate(mask.sum(dim=1).tolist()):
            inputs = {name: features[name][row : row + 1, :length].numpy() for name in ("input_ids", "attention_mask")}
            embeddings[row, :length] = torch.from_numpy(self.session.run([LAST], inputs)[0][0])
        features["token_embeddings"] = embeddings
        return features

    def layers(self, text: str) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
        """Return where the tokens of a text start and end, and their vectors in each quarter of the layers.

        Returns
        -------
        list of (int, int), ndarray of shape (n_tokens, 4 * DIM)
            The vectors of one token beside each other, those of the last layer last.
        """
        encoding = self.tokenizer.encode(text)
        inputs = {"input_ids": np.array([encoding.ids]), "attention_mask": np.array([encoding.attention_mask])}
        outputs = self.session.run([*self._inner, LAST], inputs)
        return list(encoding.offsets), np.concatenate([each[0] for each in outputs], axis=-1)

    def get_embedding_dimension(self) -> int:
        """Return the length of a token embedding."""
        return DIM

    @property
    def max_seq_length(self) -> int:
        """Number of tokens after which a text is cut off."""
        return MAX_TOKENS

    def save(self, output_path: str, *args: object, **kwargs: object) -> None:
        """Copy what `load` needs."""
        for name in ("tokenizer.json", INT8):
            target = Path(output_path) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / name, target)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", *args: object, **kwargs: object) -> "OnnxTokens":
        """Read the module from a folder written by `save`."""
        return cls(Path(model_name_or_path) / subfolder)


def with_inner_outputs(graph: Path) -> tuple[bytes, list[str]]:
    """Return a graph whose first three quarters of the layers are outputs too, and the names of these.

    What isn't asked for isn't copied, and the last layer stays the same to the bit.
    """
    model = onnx.load(str(graph))
    # Two norms a layer, after one of the embeddings: the second ends the layer.
    ends = [node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization"][2::2]
    inner = [ends[len(ends) * quarter // 4 - 1] for quarter in (1, 2, 3)]
    for name in inner:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return model.SerializeToString(), inner


def sentence_transformer(folder: Path, graph: Path | None = None) -> SentenceTransformer:
    """Return the int8 copy as a `SentenceTransformer`: our tokens, the library's mean pooling and normalisation."""
    modules = [OnnxTokens(folder, graph), Pooling(DIM, "mean"), Normalize()]
    return SentenceTransformer(modules=modules, device="cpu", prompts={"query": PROMPT}, default_prompt_name="query")


def export_int8(folder: Path, path: Path, progress: Progress) -> dict[str, Any]:
    """Write the int8 copy of the model in `folder` to `path`, and measure it. `progress` is called three times.

    Returns
    -------
    dict
        ``usable``, ``why`` (empty if usable) and, if it came that far, the fields of `Agreement`. A copy that can't
        be made is no error: the encoder then runs on torch.

    Raises
    ------
    OSError
        If a file can't be written.
    """
    quiet()
    try:
        requests, statements = sample()
        texts = [*requests, *statements]
        original = SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(texts)
        progress(1, 3)
        _export(folder, path, texts)
        progress(2, 3)
        copy = sentence_transformer(folder, path).encode(texts)
        found = agreement(original, copy, len(requests))
        progress(3, 3)
    except OSError:
        raise
    except Exception as error:  # whatever an exporter of another version may raise
        return {"usable": False, "why": f"{type(error).__name__}: {error}"[:300]}
    why = "" if found.enough else "too far from float32"
    return {"usable": found.enough, "why": why} | {key: round(value, 5) for key, value in asdict(found).items()}


def sample() -> tuple[list[str], list[str]]:
    """Return the requests and the statements of ``encoder_sample.txt``."""
    lines = Path(__file__).with_name("encoder_sample.txt").read_text(encoding="utf-8").splitlines()
    texts = [line for line in lines if line and not line.startswith("#")]
    return [text[2:] for text in texts if text.startswith("? ")], [text for text in texts if not text.startswith("? ")]


class _LastHiddenState(torch.nn.Module):
    """The model with two inputs and one output, as the graph has them."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden


class _Smoothed(torch.nn.Module):
    """A linear layer whose inputs are divided, and its weights multiplied, by the same factors."""

    def __init__(self, linear: torch.nn.Linear, factors: torch.Tensor, inverse: torch.nn.Parameter) -> None:
        super().__init__()
        self.linear, self.inverse = linear, inverse
        self.linear.weight.data *= factors

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.linear(inputs * self.inverse)
        return outputs


def _export(folder: Path, path: Path, texts: list[str]) -> None:
    """Write the int8 graph to `path`; the float32 graphs it is made from are removed."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    float32, prepared = path.with_name("float32.onnx"), path.with_name("prepared.onnx")
    _trace(folder, float32, texts)
    quant_pre_process(float32, prepared, skip_symbolic_shape=True)
    float32.unlink()
    quantize_dynamic(prepared, path, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
    prepared.unlink()


def _trace(folder: Path, path: Path, texts: list[str]) -> None:
    """Write the smoothed model to `path` as a float32 graph, with free batch and sequence axes."""
    from transformers import BertModel

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # "eager" writes attention as plain matrix products, which the quantiser knows.
    model = BertModel.from_pretrained(
        folder, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32, local_files_only=True
    )
    model.train(False)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations; the agreement check judges its work
        _smooth(model, [torch.tensor([tokenizer.encode(PROMPT + text).ids]) for text in texts])
        ids = torch.tensor([tokenizer.encode(PROMPT).ids] * 2)
        axes = {0: "batch", 1: "sequence"}
        torch.onnx.export(
            _LastHiddenState(model).train(False),  # else the exporter puts dropout back on
            (ids, torch.ones_like(ids)),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state"],
            dynamic_axes=dict.fromkeys(("input_ids", "attention_mask", "last_hidden_state"), axes),
            opset_version=17,
            dynamo=False,  # the newer exporter needs one more package, onnxscript
        )


def _smooth(model: torch.nn.Module, batches: list[torch.Tensor]) -> None:
    """Even out the channels that linear layers read, in place, without changing what the model computes.

    Notes
    -----
    SmoothQuant (Xiao et al., 2023): a few channels of the activations are far larger than the others, and one scale
    for all of them leaves little precision for the rest. The factors are rounded to quarter powers of two: the last
    bit of a measured maximum differs between processors, and would give the same copy another hash.
    """
    linears = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    largest = {name: torch.zeros(linear.in_features) for name, linear in linears.items()}

    def watch(name: str) -> Any:
        def hook(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            largest[name] = torch.maximum(largest[name], inputs[0].abs().flatten(0, -2).amax(dim=0))

        return hook

    hooks = [linear.register_forward_pre_hook(watch(name)) for name, linear in linears.items()]
    for ids in batches:
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    for hook in hooks:
        hook.remove()

    # Query, key and value read the same activations and share their factors: one multiplication instead of three.
    readers: dict[str, list[str]] = {}
    for name in linears:
        readers.setdefault(name.rsplit(".", 1)[0] if ".self." in name else name, []).append(name)
    for names in readers.values():
        weights = torch.stack([linears[name].weight.abs().amax(dim=0) for name in names]).amax(dim=0)
        ratio = largest[names[0]].clamp(min=1e-5) ** SMOOTHING / weights.clamp(min=1e-5) ** (1 - SMOOTHING)
        exponents = ratio.log2()
        factors = torch.exp2((4 * (exponents - exponents.mean())).round() / 4)
        inverse = torch.nn.Parameter(1 / factors, requires_grad=False)
        for name in names:
            parent, child = name.rsplit(".", 1)
            setattr(model.get_submodule(parent), child, _Smoothed(linears[name], factors, inverse))
