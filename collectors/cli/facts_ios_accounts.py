"""IOS and RGOS: accounts, what is demanded of passwords, and how they are kept."""

from __future__ import annotations

from typing import Any

from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import (
    Config,
    guessable,
    in_clear,
    last,
    number_in,
    numbers,
    word_after,
)
from inventory.kinds.device_config import (
    LocalUser,
    LoginLockout,
    PasswordRules,
    PasswordStorage,
    PrivilegedPassword,
)
from inventory.unknown import UNKNOWN, Maybe, Unknown

_SECRETS: dict[str, PasswordStorage] = {
    "0": "plain",
    "4": "weak_hash",
    "5": "weak_hash",
    "8": "hash",
    "9": "hash",
}
_PASSWORDS: dict[str, PasswordStorage] = {
    "0": "plain",
    "5": "weak_hash",
    "6": "reversible",
    "7": "reversible",
    "8": "hash",
}


def password_of(words: list[str]) -> tuple[Maybe[PasswordStorage], str]:
    """How a password stands behind ``password`` or ``secret`` and a number, and its text."""
    for place, word in enumerate(words):
        if word not in ("password", "secret") or place + 1 >= len(words):
            continue
        kinds = _SECRETS if word == "secret" else _PASSWORDS
        number = words[place + 1]
        if number in ("level", "role"):
            return password_of([word, *words[place + 3 :]])
        if place + 2 < len(words) and number.isdigit() and len(number) == 1:
            return kinds.get(number, UNKNOWN), words[place + 2]
        return ("plain" if word == "password" else UNKNOWN), number
    return UNKNOWN, ""


def users(config: Config) -> Any:
    """Accounts: of one user there may be several lines."""
    told: dict[str, list[Node]] = {}
    for node in config.all("username"):
        if len(node.words) > 2:
            told.setdefault(node.words[1], []).append(node)
    rows = [_user(config, name, nodes) for name, nodes in told.items()]
    return rows if rows else config.absent([])


def _user(config: Config, name: str, nodes: list[Node]) -> LocalUser:
    words = [word for node in nodes for word in node.words[2:]]
    level = number_in(words, after="privilege")
    storage, secret = password_of(words)
    if "nopassword" in words:
        storage = "none"
    mode = word_after(words, "mode")  # RGOS: username x login mode ssh
    effective = level if level is not None else config.default("users.privilege")
    admin = UNKNOWN if isinstance(effective, Unknown) else effective >= 15
    return LocalUser(
        name=name,
        administrator=admin,
        privilege=None if level is None else str(level),
        services=[mode] if mode else config.default("users.services"),
        password_storage=storage,
        password_in_clear=in_clear(storage),
        password_guessable=guessable(storage, secret, name),
        lines=numbers(*nodes),
    )


def password_rules(config: Config) -> PasswordRules:
    """What is demanded of passwords."""
    policy = {n.words[2]: n for n in config.all("password policy") if len(n.words) > 2}  # RGOS
    length = last(
        [*config.all("security passwords min-length"), *(n for w, n in policy.items() if w == "min-size")]
    )
    common = [c for n in config.all("aaa common-criteria policy") for c in n.children]
    classes: Any = len(
        {c.words[0] for c in common} & {"numeric-count", "upper-case", "lower-case", "special-case"}
    )
    minimum = last(c for c in common if c.words[0] == "min-length") or length
    if "strong" in policy:
        classes = max(classes, 2)  # refused: letters alone, digits alone (Ruijie's configuration guide)
    days, repeat = policy.get("life-cycle"), policy.get("no-repeat-times")
    month = last(c for c in common if c.text.startswith("lifetime"))
    seen = [*policy.values(), length, minimum, days, repeat, month, *config.all("aaa common-criteria policy")]
    return PasswordRules(
        min_length=number_in(minimum.words) if minimum else config.absent(None),
        min_classes=classes or config.absent(None),
        max_days=number_in(days.words) if days else _lifetime(month) if month else config.absent(None),
        history=number_in(repeat.words) if repeat else config.absent(None),
        lines=numbers(*seen),
    )


def _lifetime(node: Node) -> Any:
    words = node.words
    years, months, days = (number_in(words, after=w) or 0 for w in ("year", "month", "day"))
    return years * 365 + months * 30 + days or UNKNOWN


def lockout(config: Config) -> LoginLockout:
    """After how many failures, and for how long."""
    block = last(config.all("login block-for"))
    if block is not None:
        seconds, tries = number_in(block.words, position=2), number_in(block.words, after="attempts")
        return LoginLockout(
            attempts=UNKNOWN if tries is None else tries,
            minutes=UNKNOWN if seconds is None else max(1, seconds // 60),
            lines=numbers(block),
        )
    fails = last([*config.all("aaa local authentication attempts"), *config.all("login attempts")])
    time = last(config.all("aaa local authentication lockout-time"))
    if fails is None:
        return LoginLockout(
            attempts=config.default("lockout.attempts"), minutes=config.default("lockout.minutes"),
            lines=numbers(time),
        )  # fmt: skip
    tries = number_in(fails.words)
    # RGOS counts the time in hours or minutes, by its release; IOS locks until somebody unlocks
    forever = config.platform == "cisco_ios"
    return LoginLockout(
        attempts=UNKNOWN if tries is None else tries,
        minutes=None if forever else UNKNOWN,
        lines=numbers(fails, time),
    )


def privileged(config: Config) -> PrivilegedPassword:
    """``enable secret`` goes before ``enable password``."""
    node = last(config.all("enable secret")) or last(config.all("enable password"))
    if node is None:
        return PrivilegedPassword(password_storage=config.absent("none"))
    storage, secret = password_of(node.words)
    return PrivilegedPassword(
        password_storage=storage,
        password_guessable=guessable(storage, secret),
        lines=numbers(node),
    )
