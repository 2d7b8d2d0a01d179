"""The one place that puts the parts together: settings in, a ready service out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from recommender.blend import BlendedEncoder, UniversalEncoder
from recommender.carrier import Carrier
from recommender.competences import CompetenceReader, load_reader
from recommender.encoder import Encoder, SentenceEncoder, WordEncoder, fallback_encoder, load_encoder
from recommender.errors import EncoderUnavailable, ModelRefused, SettingRefused, TelemachosError
from recommender.guide import Phraser
from recommender.known_needs import KnownNeeds
from recommender.language_model import LanguageModel
from recommender.neutral import NeutralEncoder
from recommender.ranker import AdditiveRanker, similarity_only
from recommender.recent import RecentEncoder
from recommender.recommending import Recommender
from recommender.registry import Manifest, Registry
from recommender.service import Service
from recommender.settings import DEFAULT_ENCODER, Settings
from recommender.smtp import carrier_of
from recommender.store import Store
from recommender.turn_reader import TurnReader, load_turn_reader
from recommender.weights import Progress
from recommender.windows import WindowedEncoder

DATABASE = "telemachos.duckdb"
KEPT = "encoders/kept"

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Parts:
    """What ranks, without a store: an encoder, rankers, what reads competences, and what should be said about them.

    `registry` is None where no ranker can be read, `reader` where none was fitted for this encoder, and `known_needs`
    where the encoder sees letters only.

    `notices` are keys of the catalogue under ``notice``: every page and command shows them, so that nobody takes a
    stand-in for the real thing. `trouble` holds the error behind each stand-in.
    """

    encoder: Encoder
    registry: Registry | None
    reader: CompetenceReader | None
    known_needs: KnownNeeds | None
    turns: TurnReader | None
    notices: tuple[str, ...]
    trouble: tuple[TelemachosError, ...]

    @property
    def manifest(self) -> Manifest | None:
        """Return what is known of the ranker in use, or None for a stand-in."""
        return self.registry.current()[1] if self.registry else None

    def ranker(self) -> AdditiveRanker:
        """Return the ranker in use at this moment."""
        return self.registry.current()[0] if self.registry else similarity_only()

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
    clock = clock_of(settings)
    carrier, phraser = carrier_of(settings), _phraser(settings)
    store = Store(settings.home / DATABASE)
    parts = load_parts(settings, progress)
    service = service_over(store, parts, phraser, clock, carrier, timedelta(minutes=settings.mail_hold_minutes))
    if settings.clock is not None:
        parts = replace(parts, notices=(*parts.notices, "clock_test"))
    return Installation(settings, service, parts)


def service_over(
    store: Store,
    parts: Parts,
    phraser: Phraser | None = None,
    clock: Clock | None = None,
    carrier: Carrier | None = None,
    mail_hold: timedelta = timedelta(),
) -> Service:
    """Return the use cases over a store, with what was loaded."""
    recommender = Recommender(
        store, parts.encoder, parts.ranker, parts.reader, parts.known_needs, parts.doubt_below, parts.turns
    )
    return Service(store, recommender, clock or _now, parts.turns, phraser, carrier, mail_hold)


def clock_of(settings: Settings) -> Clock:
    """Return what gives the time: that of the machine, or of a file that is read each time.

    Raises
    ------
    SettingRefused
        If the file can't be read or holds no time with a zone.
    """
    file = settings.clock
    if file is None:
        return _now

    def of_file() -> datetime:
        try:
            moment = datetime.fromisoformat(file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            raise SettingRefused("setting_clock", path=file) from error
        if moment.tzinfo is None:
            raise SettingRefused("setting_clock", path=file)
        return moment.astimezone(UTC)

    of_file()
    return of_file


def _now() -> datetime:
    return datetime.now(UTC)


def load_parts(settings: Settings, progress: Progress | None = None) -> Parts:
    """Load the encoder and the ranker; where one can't be had, take the labelled stand-in."""
    notices: list[str] = []
    trouble: list[TelemachosError] = []
    words: WordEncoder | None = None
    try:
        encoder = load_encoder(settings, progress)
        if isinstance(encoder, SentenceEncoder):
            words = encoder
            encoder = _complete(encoder, settings)
            # Encoding a text now shows whether the encoder works here, and the first request needn't wait for it.
            encoder.encode(["?"])
        elif encoder.genuine:
            encoder = _complete(encoder, settings)
            # Encoding a text now shows whether the encoder works here, and the first request needn't wait for it.
            encoder.encode(["?"])
        else:
            notices.append("encoder_test")
    except EncoderUnavailable as error:
        encoder = fallback_encoder()
        notices.append("encoder_fallback")
        trouble.append(error)
    registry: Registry | None = None
    try:
        found = Registry(settings.home / "models", settings.models)
        _, manifest = found.current()
        registry = found
        if encoder.genuine and settings.encoder != manifest.encoder:
            notices.append("ranker_other_encoder")
    except ModelRefused as error:
        notices.append("ranker_missing")
        trouble.append(error)
    known_needs = KnownNeeds(encoder, settings.home / KEPT) if encoder.genuine else None
    reader, turns = _reader(settings, encoder), _turns(settings, encoder, words)
    if turns is None and not notices:
        notices.append("turns_missing")
    return Parts(encoder, registry, reader, known_needs, turns, tuple(notices), tuple(trouble))


def _phraser(settings: Settings) -> LanguageModel | None:
    if not settings.language_model:
        return None
    key = settings.language_model_key.get_secret_value()
    return LanguageModel(settings.language_model, settings.language_model_name, key)


def _reader(settings: Settings, encoder: Encoder) -> CompetenceReader | None:
    """Return what names competences, if it was fitted on vectors of this encoder, whatever computes it."""
    try:
        reader = load_reader(settings.models / "competences")
    except ModelRefused:
        return None
    fits = reader.encoder.split("/")[0] == settings.encoder and reader.manifest.dim == encoder.dim
    return reader if fits else None


def _turns(settings: Settings, encoder: Encoder, words: WordEncoder | None) -> TurnReader | None:
    """Return what understands typed turns, if it was fitted on vectors of this encoder."""
    if words is None:
        return None
    try:
        return load_turn_reader(settings.models / "turns", encoder, words)
    except ModelRefused:
        return None


def _complete(encoder: Encoder, settings: Settings) -> Encoder:
    """Read long texts whole, take the language out, and put a second encoder beside the default one.

    The share of the second was measured with the default encoder, so another encoder stands alone.
    """
    kept_in = settings.home / KEPT
    neutral: Encoder = NeutralEncoder(encoder, kept_in)
    if settings.encoder == DEFAULT_ENCODER:
        neutral = BlendedEncoder(neutral, NeutralEncoder(UniversalEncoder(), kept_in))
    return RecentEncoder(WindowedEncoder(neutral))
