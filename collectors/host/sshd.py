"""The SSH server: ``sshd -T`` where we may run it (it needs the host keys, so root), else sshd_config(5).

From the file only what it says, and defaults that are the same in every OpenSSH; the others (root login,
algorithms) differ by version and vendor and stay unknown. What a Match block sets otherwise holds for some
connections only, so that field stays unknown too.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase

import msgspec

from collectors.host.notebook import Notebook, decode
from collectors.host.processes import Process, Processes
from collectors.host.reader import Output, Refusal
from inventory.kinds.host import SshServer
from inventory.unknown import UNKNOWN, Maybe

DEFAULT_CONFIG = "/etc/ssh/sshd_config"
_PROGRAMS = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/sbin/sshd")
_DEPTH = 16  # as servconf.c has it
_FILES = 200
_MULTIPLE = frozenset("port allowusers allowgroups listenaddress".split())
_STABLE_DEFAULTS = {
    "port": ["22"],
    "passwordauthentication": ["yes"],
    "permitemptypasswords": ["no"],
    "maxauthtries": ["6"],
    "clientaliveinterval": ["0"],
    "clientalivecountmax": ["3"],
    "authenticationmethods": ["any"],
    "allowusers": [],
    "allowgroups": [],
}  # fmt: skip
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

Settings = dict[str, list[str]]


class SshdConfig(msgspec.Struct):
    """``settings`` by lower-case keyword; ``conditional`` what Match blocks set; ``whole`` is False where
    an include was not readable."""

    settings: Settings = msgspec.field(default_factory=dict)
    conditional: Settings = msgspec.field(default_factory=dict)
    whole: bool = True
    files: int = 0


def effective(output: bytes) -> Settings:
    """``sshd -T``: one lower-case keyword and its value a line."""
    found: Settings = {}
    for line in decode(output).split("\n"):
        key, _, value = line.strip().partition(" ")
        if re.fullmatch(r"[a-z0-9]+", key):
            found.setdefault(key, []).append(value.strip())
    return found


def statements(data: bytes) -> list[tuple[str, str]]:
    """Keyword (lower case) and arguments of each line of sshd_config."""
    found = []
    for raw in decode(data).split("\n"):
        match = re.match(r"([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)", raw.strip())
        if match:
            value, mark, rest = match[2].replace("\t", " ").partition(" #")
            found.append((match[1].lower(), (match[2] if mark and '"' in rest else value).strip()))
    return found


def read_config(notebook: Notebook, path: str = DEFAULT_CONFIG) -> SshdConfig | Refusal:
    """sshd_config with its includes: the first value of a keyword counts."""
    config = SshdConfig()
    main = notebook.file(path)
    if isinstance(main, Refusal):
        return main
    _apply(notebook, config, main, (path,), matching=False)
    return config


def _apply(
    notebook: Notebook, config: SshdConfig, data: bytes, path: tuple[str, ...], matching: bool
) -> None:
    """One file in order. A Match ends with its file, so an included file cannot end the includer's."""
    inside = matching
    for key, value in statements(data):
        if key == "match":
            inside = value.lower() != "all"
        elif key == "include":
            for included in _included(notebook, config, value):
                config.files += 1
                if included in path or len(path) > _DEPTH or config.files > _FILES:
                    config.whole = False
                    continue
                text = notebook.file(included)
                if isinstance(text, Refusal):
                    config.whole &= text is Refusal.NOT_FOUND
                else:
                    _apply(notebook, config, text, (*path, included), inside)
        else:
            _set(config.conditional if inside else config.settings, key, value)


def _set(settings: Settings, key: str, value: str) -> None:
    bare = value.replace('"', "")
    if key in _MULTIPLE:
        settings.setdefault(key, []).append(bare)
    else:
        settings.setdefault(key, [bare])


def _included(notebook: Notebook, config: SshdConfig, value: str) -> list[str]:
    """Files that an Include names, in order; relative ones lie under /etc/ssh."""
    found = []
    for pattern in value.replace('"', " ").split():
        whole = posixpath.normpath(pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}")
        folder, _, name = whole.rpartition("/")
        if not re.search(r"[*?\[]", whole):
            found.append(whole)
        elif re.search(r"[*?\[]", folder):
            config.whole = False
        else:
            names = notebook.directory(folder or "/")
            if isinstance(names, Refusal):
                config.whole &= names is Refusal.NOT_FOUND
            else:
                found += [f"{folder}/{n}" for n in names if fnmatchcase(n, name) and not n.startswith(".")]
    return found


def arguments(process: Process | None) -> tuple[Settings, str | None]:
    """Options and configuration file (-o, -p, -f) that the running sshd was started with; they count
    before the file. sshd shows them in its title, as vendors' crypto policies use them."""
    found: Settings = {}
    config = None
    words = [w for argument in (process.argv if process else ()) for w in argument.split()]
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        option, rest = word[:2], word[2:] or following
        if option == "-o":
            for key, value in statements(rest.encode()):
                _set(found, key, value)
        elif option == "-p":
            _set(found, "port", rest)
        elif option == "-f" and rest.startswith("/"):
            config = rest
    return found, config


def read_ssh_server(notebook: Notebook, processes: Processes, config_path: str = "") -> SshServer:
    """The SSH server as it is set up; fields that nothing shows stay UNKNOWN."""
    running = processes.running("sshd")
    places = [notebook.exists(path) for path in _PROGRAMS]
    installed: Maybe[bool] = (
        True if running or True in places else (UNKNOWN if running is None or None in places else False)
    )
    if installed is False:
        return SshServer(installed=False, running=False)
    server = SshServer(installed=installed, running=UNKNOWN if running is None else running)
    given, started_with = arguments(_listener(processes))
    path = config_path or started_with or DEFAULT_CONFIG
    command = ("sshd", "-T") if path == DEFAULT_CONFIG else ("sshd", "-T", "-f", path)
    answer = notebook.command(*command) if notebook.may_run(*command) else Refusal.DENIED
    config = read_config(notebook, path)
    if isinstance(answer, Output) and answer.status == 0:
        settings = effective(answer.stdout)
        whole = isinstance(config, SshdConfig) and config.whole
        notebook.note("sshd 配置取自 sshd -T（生效值）")
    elif isinstance(config, SshdConfig):
        settings, whole = (_STABLE_DEFAULTS | config.settings, config.whole) if config.whole else ({}, False)
        why = "没有可用的主机密钥或配置有错" if notebook.may_run(*command) else "sshd -T 需要 root"
        notebook.note(f"sshd 配置取自 {path}（{why}）：随版本而异的默认值未知")
    else:
        notebook.note(f"sshd 配置未知：sshd -T 不可用，{path} 也读不到")
        return server
    if not whole:
        notebook.note("sshd 的 Include 有读不全的部分，只取 sshd -T 的值，Match 块的影响不能排除")
    settings = settings | given
    conditional = config.conditional if isinstance(config, SshdConfig) else {}
    return _fill(notebook, server, settings, conditional)


def _listener(processes: Processes) -> Process | None:
    """The sshd that listens, rather than one that serves a session."""
    daemons = [p for p in processes.rows if p.name == "sshd"]
    titles = [(p, " ".join(p.argv)) for p in daemons]
    return next((p for p, t in titles if not t.startswith("sshd: ") or "[listener]" in t), None)


def _fill(notebook: Notebook, server: SshServer, settings: Settings, conditional: Settings) -> SshServer:
    def text(key: str) -> Maybe[str]:
        if key in conditional and conditional[key] != settings.get(key):
            notebook.note(f"sshd 的 Match 块另设 {key}：只对部分连接有效，记为未知")
            return UNKNOWN
        return settings[key][0].lower() if settings.get(key) else UNKNOWN

    def yes(key: str) -> Maybe[bool]:
        value = text(key)
        return {"yes": True, "no": False}.get(value, UNKNOWN) if isinstance(value, str) else UNKNOWN

    def names(key: str) -> Maybe[list[str]]:
        value = text(key)
        if not isinstance(value, str) or value[:1] in ("+", "-", "^", ""):
            return UNKNOWN  # relative to a default that the file does not show
        return [name for name in value.split(",") if name]

    root = text("permitrootlogin")
    tries = text("maxauthtries")
    server.permit_root_login = (
        "prohibit-password" if isinstance(root, str) and root == "without-password" else root
    )
    server.password_authentication = yes("passwordauthentication")
    server.empty_passwords = yes("permitemptypasswords")
    server.max_auth_tries = (
        int(tries) if isinstance(tries, str) and re.fullmatch(r"[0-9]{1,9}", tries) else UNKNOWN
    )
    server.x11_forwarding = yes("x11forwarding")
    server.ports = _ports(settings)
    server.idle_timeout_seconds = _idle(text("clientaliveinterval"), text("clientalivecountmax"))
    server.ciphers, server.macs = names("ciphers"), names("macs")
    server.key_exchanges = names("kexalgorithms")
    methods = text("authenticationmethods")
    server.authentication_methods = methods.split() if isinstance(methods, str) else UNKNOWN
    server.allow_users = _allowed(settings, conditional)
    return server


def _ports(settings: Settings) -> Maybe[list[int]]:
    values = settings.get("port", [])
    if not values or not all(re.fullmatch(r"[0-9]{1,5}", v) for v in values):
        return UNKNOWN
    return sorted({int(v) for v in values})


def _allowed(settings: Settings, conditional: Settings) -> Maybe[list[str]]:
    """AllowUsers and AllowGroups (as %group); ``sshd -T`` prints neither where none is set."""
    if not settings or "allowusers" in conditional or "allowgroups" in conditional:
        return UNKNOWN
    users = [name for value in settings.get("allowusers", []) for name in value.split()]
    return users + [f"%{name}" for value in settings.get("allowgroups", []) for name in value.split()]


def _idle(interval: Maybe[str], count: Maybe[str]) -> Maybe[int | None]:
    """Seconds until an idle (unresponsive) session is cut. CountMax 0 means "at once" before OpenSSH 8.2
    and "never" since, so it is not told."""
    if not isinstance(interval, str) or not isinstance(count, str):
        return UNKNOWN
    seconds = _seconds(interval)
    if seconds is None or not re.fullmatch(r"[0-9]{1,9}", count):
        return UNKNOWN
    if seconds == 0:
        return None
    return seconds * int(count) if int(count) else UNKNOWN


def _seconds(text: str) -> int | None:
    """Time formats of sshd_config(5): 600, 10m, 1h30m."""
    if not re.fullmatch(r"(?:[0-9]{1,9}[smhdw]?){1,5}", text.lower()):
        return None
    return sum(int(n) * _UNITS[u] for n, u in re.findall(r"([0-9]{1,9})([smhdw]?)", text.lower()))
