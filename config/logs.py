"""Structured logs on standard error, one JSON object a line, without names, addresses, numbers or tokens."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import IO, Any

import structlog

#: Fields whose value is never printed, whatever it is.
_SECRET_FIELD = re.compile(
    r"authori[sz]ation|cookie|password|passwd|secret|token|^code$|^session$|(^|_)nir$|e_?mail|phone|recipient"
    r"|address|birth|first_names?|last_name|api_?key",
    re.IGNORECASE,
)
#: Of errors that came of errors, so many are named.
_LONGEST_CHAIN = 5
#: Where asyncio begins to quote.
_CALLED = re.compile(r"[\n(]")
#: Fields that this module or the logger set themselves.
_OURS = frozenset({"timestamp", "level", "logger"})

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+"), r"\1 [secret]"),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^\s/@:]+:[^\s/@]+@"), r"\1[secret]@"),
    (re.compile(r"[^\s<>\"'(),:;=\[\]]+@[^\s<>\"'(),:;\[\]]*[^\s<>\"'(),:;\[\].]"), "[mail]"),
    (re.compile(r"(?<=[\w/.?=&%-])#[A-Za-z0-9_.~%!$&'()*+,;=:@/?-]+"), "#[fragment]"),
    (re.compile(r"(/u/)[A-Za-z0-9_-]+"), r"\1[token]"),
    # Tokens, keys, hashes: long words of the alphabet that ours are written in. Ids have 32 signs and stay.
    (re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{40,}(?![A-Za-z0-9_-])"), "[token]"),
    # A NIR, with or without its key, also one of Corsica; then any digits that long.
    (
        re.compile(
            r"(?<![0-9A-Za-z])[1-8][\s.]?\d\d[\s.]?\d\d[\s.]?(?:\d\d|2[ABab])[\s.]?\d{3}[\s.]?\d{3}"
            r"(?:[\s.-]?\d\d)?(?![0-9A-Za-z])"
        ),
        "[number]",
    ),
    (
        re.compile(
            r"(?<![0-9A-Za-z])(?:(?:\+|00)\d{2}[\s.-]?(?:\(0\))?|0)[1-9](?:[\s.-]?\d{2}){4}(?![0-9A-Za-z])"
        ),
        "[phone]",
    ),
    (re.compile(r"(?<![0-9A-Za-z])\d(?:[ .]?\d){10,}(?![0-9A-Za-z])"), "[number]"),
)


#: Words of the code and small numbers, most of what is logged: none of the above fits into them.
_PLAIN = re.compile(r"[a-z_.]{1,39}|[0-9]{1,6}")


def redact(text: str) -> str:
    """The text without tokens, addresses, telephone numbers, URL fragments and long numbers."""
    if _PLAIN.fullmatch(text):
        return text
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def placed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor for exceptions: what kind, and where in the code; never what it says.

    A message quotes what it complains about: a line that is no request, a value that does not fit.
    """
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        kinds: list[str] = []
        known: BaseException | None = error
        while known is not None and len(kinds) < _LONGEST_CHAIN:
            kinds.append(type(known).__qualname__)
            known = known.__cause__ or known.__context__
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        event["exception"] = "\n".join([*places, " from ".join(kinds)])
    if event.get("logger") == "asyncio":
        # What it adds, the task or the call at fault, quotes the error or what was being handled.
        event["event"] = _CALLED.split(str(event["event"]), maxsplit=1)[0]
    return event


def redactor(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor: goes through every field, nested ones too, before anything is printed."""
    return {key: value if key in _OURS else _field(key, value) for key, value in event.items()}


@lru_cache(maxsize=512)
def _is_secret(key: str) -> bool:
    return _SECRET_FIELD.search(key) is not None


def _field(key: object, value: object) -> object:
    if isinstance(key, str) and value is not None and _is_secret(key):
        return "[secret]"
    return _clean(value)


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        # Numbers that long are somebody's; counts and ports are short.
        return value if abs(value) < 10**10 else "[number]"
    if isinstance(value, Mapping):
        return {_clean(key): _field(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return redact(str(value))


def configure(level: str = "info", stream: IO[str] | None = None) -> None:
    """Send structlog's and the standard library's logs (aiohttp's too) to standard error, redacted."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        placed,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redactor,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # At "debug" these print what goes over their connections; Alembic and APScheduler tell too much.
    for name in ("aiosmtplib", "mail.log", "aiosqlite", "sqlalchemy.engine", "alembic", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
