"""The one place that puts the parts together: settings in, a ready service out."""

from dataclasses import dataclass

from recommender.blend import BlendedEncoder, UniversalEncoder
from recommender.encoder import Encoder, fallback_encoder, load_encoder
from recommender.errors import EncoderUnavailable, ModelRefused, TelemachosError
from recommender.neutral import NeutralEncoder
from recommender.ranker import AdditiveRanker, similarity_only
from recommender.registry import COLD_START, Manifest, load
from recommender.service import Progress, Service
from recommender.settings import DEFAULT_ENCODER, Settings
from recommender.store import Store
from recommender.windows import WindowedEncoder

DATABASE = "telemachos.duckdb"


@dataclass(frozen=True)
class Parts:
    """What ranks, without a store: an encoder, a ranker, and what should be said about them.

    `notices` are keys of the catalogue under ``notice``: every page and command shows them, so that nobody takes a
    stand-in for the real thing. `trouble` holds the error behind each stand-in.
    """

    encoder: Encoder
    ranker: AdditiveRanker
    manifest: Manifest | None
    notices: tuple[str, ...]
    trouble: tuple[TelemachosError, ...]

    @property
    def doubt_below(self) -> float | None:
        """Return the likeness below which nobody fits; unknown for a stand-in, whose likenesses have another scale."""
        return self.manifest.doubt_below if self.manifest and not self.notices else None


@dataclass(frozen=True)
class Installation:
    """A running Telemachos."""

    settings: Settings
    service: Service
    parts: Parts

    @property
    def notices(self) -> tuple[str, ...]:
        """Return what every page and command says about stand-ins."""
        return self.parts.notices

    @property
    def manifest(self) -> Manifest | None:
        """Return what is known of the ranker in use, or None for a stand-in."""
        return self.parts.manifest


def install(settings: Settings, progress: Progress | None = None) -> Installation:
    """Open the store, load the encoder and the ranker, and say where a stand-in is in use.

    Raises
    ------
    StoreUnavailable
        If the database can't be opened.
    """
    store = Store(settings.home / DATABASE)
    parts = load_parts(settings, progress)
    return Installation(settings, Service(store, parts.encoder, parts.ranker, doubt_below=parts.doubt_below), parts)


def load_parts(settings: Settings, progress: Progress | None = None) -> Parts:
    """Load the encoder and the ranker; where one can't be had, take the labelled stand-in."""
    notices: list[str] = []
    trouble: list[TelemachosError] = []
    try:
        encoder = load_encoder(settings, progress)
        if encoder.genuine:
            encoder = _complete(encoder, settings)
            # Encoding a text now shows whether the encoder works here, and the first request needn't wait for it.
            encoder.encode(["?"])
        else:
            notices.append("encoder_test")
    except EncoderUnavailable as error:
        encoder = fallback_encoder()
        notices.append("encoder_fallback")
        trouble.append(error)
    try:
        ranker, manifest = load(settings.models / COLD_START)
        if encoder.genuine and settings.encoder != manifest.encoder:
            notices.append("ranker_other_encoder")
    except ModelRefused as error:
        ranker, manifest = similarity_only(), None
        notices.append("ranker_missing")
        trouble.append(error)
    return Parts(encoder, ranker, manifest, tuple(notices), tuple(trouble))


def _complete(encoder: Encoder, settings: Settings) -> Encoder:
    """Read long texts whole, take the language out, and put a second encoder beside the default one.

    The share of the second was measured with the default encoder, so another encoder stands alone.
    """
    neutral: Encoder = NeutralEncoder(encoder)
    if settings.encoder == DEFAULT_ENCODER:
        neutral = BlendedEncoder(neutral, NeutralEncoder(UniversalEncoder()))
    return WindowedEncoder(neutral)
