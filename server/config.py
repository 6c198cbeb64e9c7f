"""Settings: environment over ``shopbell.toml`` in the data folder over defaults, typed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from server.domain.errors import InvalidInput


class Settings(BaseSettings):
    """What may be set from outside; each field is documented in docs/operations.md."""

    model_config = SettingsConfigDict(env_prefix="SHOPBELL_", extra="ignore")

    data_dir: Path = Path("shopbell-data")
    database_url: str | None = None
    # By what several processes wake each other; unset, by the database.
    redis_url: str | None = None
    # How long the desk waits for an answer of its database before it says "try again".
    database_patience_s: float = Field(default=5.0, ge=1, le=600)
    rate_limits: bool = True
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    secure_cookies: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    drain_s: float = Field(default=10.0, ge=0, le=60)
    # Who shows it may read /metrics from anywhere; unset leaves that to the private network.
    metrics_token: str | None = Field(default=None, min_length=16)
    # A transport that has not said who it is for this long is closed.
    connect_limit_s: float = Field(default=10.0, ge=0.5, le=60)
    # A shopper whose last socket has been gone for this long has left.
    left_after_s: float = Field(default=60.0, ge=1, le=3600)
    # imaps://user:password@host/folder and smtps://user:password@host; unset, there is no mail.
    imap_url: str | None = None
    smtp_url: str | None = None
    # What customers write to; unset, the user of one of the two addresses above.
    mail_address: str | None = None
    # The name under which the shop's own mail server judges senders (Authentication-Results).
    mail_judge: str | None = None
    # Under which address customers and colleagues reach this server, for links in mails.
    public_url: str | None = None
    # Where files that people send are kept, for all processes; unset, "files" in the data folder.
    files_dir: Path | None = None
    # How large one file may be, in MB: of shoppers, and of staff and mails.
    file_mb: int = Field(default=10, ge=1, le=200)
    file_staff_mb: int = Field(default=25, ge=1, le=200)
    # What all shoppers together may send in 24 hours, in MB.
    files_day_mb: int = Field(default=1000, ge=10, le=1_000_000)
    # What looks at files for viruses: clamd://host:3310, clamd:///run/clamd.sock, exec:command.
    scanner: str | None = None
    # Webhooks over plain http and to private networks: for trying things out.
    webhook_allow_private: bool = False

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError(
                "write postgresql://user:password@host/name, or unset it to use SQLite"
            )
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("write redis://host:6379/0, or unset it to use the database")
        return url

    @field_validator("imap_url")
    @classmethod
    def _is_imap(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("imap://", "imaps://")):
            raise ValueError("write imaps://user:password@host/INBOX")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("smtp://", "smtps://")):
            raise ValueError("write smtps://user:password@host")
        return url

    @field_validator("scanner")
    @classmethod
    def _is_scanner(cls, scanner: str | None) -> str | None:
        if scanner is not None and not scanner.startswith(("clamd://", "exec:")):
            raise ValueError(
                "write clamd://127.0.0.1:3310, clamd:///run/clamd.sock or exec:COMMAND"
            )
        return scanner

    @field_validator("public_url")
    @classmethod
    def _is_web(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("write https://desk.example")
        return url

    @property
    def own_mail_address(self) -> str | None:
        """What customers write to; None when there is no mail."""
        users = [
            unquote(urlsplit(url).username or "") for url in (self.smtp_url, self.imap_url) if url
        ]
        if not users:
            return None
        return self.mail_address or next((user for user in users if "@" in user), None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the base's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over the file in the data folder."""
        given = init_settings()
        folder = Path(given.get("data_dir") or env_settings().get("data_dir") or "shopbell-data")
        file = TomlConfigSettingsSource(settings_cls, folder / "shopbell.toml")
        return (init_settings, env_settings, file)

    @property
    def files_path(self) -> Path:
        """Where the bytes of files are."""
        return self.files_dir or self.data_dir / "files"

    @property
    def sqlite_path(self) -> Path:
        """The database file that is used when no database address is set."""
        return self.data_dir / "shopbell.db"


def load(data_dir: Path | None = None) -> Settings:
    """The settings for a data folder. Raises InvalidInput that names what cannot be read."""
    try:
        return Settings() if data_dir is None else Settings(data_dir=data_dir)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in found['loc'])}:"
            f" {found['msg'].removeprefix('Value error, ')}"
            for found in error.errors(include_url=False, include_input=False)
        )
        raise InvalidInput(f"A setting cannot be used. {wrong}.") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"shopbell.toml in the data folder is not valid TOML: {error}") from None
