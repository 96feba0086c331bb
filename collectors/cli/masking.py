"""Masking of secrets in what a network device prints, before anything of it is stored or logged.

No grammar of one vendor: a line is walked word by word. A word that introduces a secret in some dialect
is followed by words that tell how it is kept (``cipher``, ``7``, ``md5`` …), which stay, and then by the
secret, which goes, up to the next word that is known to be none. Dialects that nobody here has seen are
covered as far as they use such words; secrets that are known by their shape go wherever they stand. Lines
stay lines, so that a line number means the same in the masked text and in the device's own.

Public keys and certificates stay. When in doubt a word goes: evidence with a hole is better than a leak.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from collectors.redact import MASK

_WORD = re.compile(r'"(?:[^"\\]|\\.)*"[;,]?(?!\S)|\'[^\']*\'[;,]?(?!\S)|\S+')
_PRIVATE_BEGIN, _PRIVATE_END = "PRIVATE KEY-----", "-----END "

_INTRODUCES = re.compile(
    r"""[\w.-]*(?:password|passwd|passphrase|pass-phrase|secret|psk)s?(?P<assigned>[:=].*)?
    | (?:[\w.]+[-_.])*(?:
        pwd|community|community-?name|securityname
      | pre-?shared?-?key|pre-?share|shared?-?key|key-?string|set-key|string-key|auth-?key|authentication-key
      | encryption-key|encryption-hex|authentication-hex|session-key|private-key|priv-?key|api-?key|auth-code
      | message-digest-key|simple-key|access-key|authkey|token
    )s?(?P<assigned_too>[:=].*)?""",
    re.VERBOSE | re.IGNORECASE,
)
"""Words after which a secret stands, in any dialect; with what a colon or an equals sign glues to them."""

_KINDS = frozenset(
    (
        "cipher irreversible-cipher reversible-cipher simple plain plaintext plain-text clear cleartext "
        "clear-text encrypted encrypt unencrypted hash hashed ciphertext secret ascii ascii-text hex "
        "hexadecimal text enc string set key local remote read write name authentication accounting "
        "authorization inbound outbound esp ah = : pass-phrase password md5-key key-string"
    ).split()
)
"""Words between the one that introduces a secret and the secret: how it is kept, what it is for."""

_TAKE_ONE = frozenset(
    ("level privilege role address hostname host key-id keyid user-name vrid index spi").split()
)
"""Such words that take one word of their own with them (addresses may have a mask besides)."""

_ALGORITHM = re.compile(
    r"(?:hmac-?)?(?:md5|sm3|sha)(?:-?\d{1,3})?(?:-\d{2,3})?(?:-\d{2,3})?|keyed-md5|(?:cfb)?aes(?:-?\d{3})?(?:-?c)?"
    r"|3des(?:168)?|des(?:56)?|3desede|sm4|aes-?(?:128|192|256)(?:-(?:ctr|cbc|gcm|cfb))?|scrypt|pbkdf2|type-?\d",
    re.IGNORECASE,
)

_ENDS = frozenset(
    (
        "acl mib-view view ro rw ipv6 ipv4 address hostname host port auth-port acct-port "
        "authentication-port accounting-port privacy-mode priv privacy authentication-mode auth role "
        "level privilege group localizedkey localized v1 v2c v3 params timeout retransmit retries source "
        "source-interface service-type network-admin network-operator alias context read write notify "
        "udp-port vrf vpn-instance ip interface no-xauth quit access-list access-class state idle- "
        "timeout primary secondary standby weight nonstandard usual usual-only send-only receive-only "
        "accept-own aes wapi tkip aes-tkip ccmp hex-key authorization expired class access level-1 "
        "level-2 level-1-2 policy complexity length min-length max-length aging history expire recovery "
        "members { } [ ] | exit end return single-connection both test username probe traps informs trap "
        "version"
    ).split()
)
"""Words that are no part of a secret that stands before them."""

_NEVER = frozenset(
    (
        "policy complexity complexity-check length min-length max-length aging history expire expiration "
        "expired recovery encryption chain"
    ).split()
)
"""Words right behind ``password`` that go on about passwords and are none."""

_MODES = ("authentication-mode", "privacy-mode")  # behind a ``cipher`` that is said of all secrets of a line
_SIZES = ("128", "192", "256")
_STORAGE = frozenset("cipher irreversible-cipher reversible-cipher ciphertext".split())
"""Kinds that tell by themselves that a secret follows."""

_REDUNDANCY = ("standby", "vrrp", "glbp")  # their authentication is a bare word
_DIGIT = re.compile(r"[0-9]{1,2}")
_NUMBER = re.compile(r"[0-9]+")
_ADDRESS = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]+)?|[0-9a-f:]*:[0-9a-f:.]+(?:/[0-9]+)?", re.IGNORECASE
)
_CIPHER_NAME = re.compile(r"(?i)(?:aes|3des|des|sm4|chacha|blowfish|arcfour|twofish|all\b|high|medium|low)")

_SHAPES = (
    re.compile(r"(%[@$^+]%[@$#])[^\r\n]*?\1"),  # VRP's reversible ciphers
    re.compile(r"(@%@%|%@%@|%\$%\$)[^\r\n]*?\1"),
    re.compile(
        r"\$(?:[0-9]{1,2}[a-z]?|[chy]|2[abxy]|gy|sm3|sha\d*|pbkdf2\w*|argon2\w*|scrypt)\$[^\s\";,]{4,}"
    ),
    re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*"),
)
_SNMP_HOST = re.compile(
    r"(?i)(snmp-(?:server|agent) (?:enable )?(?:trap-)?host\s+\S+(?:\s+vrf\s+\S+)?"
    r"(?:\s+(?:traps?|informs?|use-vrf\s+\S+))*"
    r"(?:\s+version\s+(?:1|2c|v1|v2c))?\s+)(?!traps?\b|informs?\b|version\b|use-vrf\b|source|filter|vrf\b|udp)(\S+)"
)
_LDAP_MANAGER = re.compile(r"(?i)(\bldap-server authentication manager \S+ )\S+")
_BGP_COMMUNITY = re.compile(
    r"(?i)^\s*(?:set|match|apply|if-match|ip|from|then|route-map|permit|deny|neighbor|peer|send|import|export|bgp)\b"
    r"(?!.*\bsnmp)|community(?:-list|-filter|-set)|\bcommunity\s+(?:add|delete|members|none|additive)\b|\bmembers\b"
)
_KEY_CHAIN = re.compile(r"(?i)\bkey-?\s?chain\b")
_KEY_OF_SERVER = re.compile(
    r"(?i)\b(?:radius|tacacs|hwtacacs|isakmp|ikev?[12]?|ldap|server-private|aaa|server)\b"
)
_NTP_SERVER = re.compile(r"(?i)\bntp\b.*\b(?:server|peer|unicast-server|unicast-peer)\b")


def masked(text: str) -> str:
    """The text with its secrets masked, line for line. Masking twice changes nothing."""
    lines = text.split("\n")
    parents: list[tuple[int, str]] = []
    within_private = False
    for at, line in enumerate(lines):
        if within_private or _PRIVATE_BEGIN in line:
            within_private = _PRIVATE_END not in line or _PRIVATE_BEGIN not in line.partition(_PRIVATE_END)[2]
            lines[at] = _indented(line)
            continue
        indent = len(line) - len(line.lstrip())
        while parents and parents[-1][0] >= indent:
            parents.pop()
        parent = parents[-1][1] if parents else ""
        if line.strip():
            parents.append((indent, line))
        lines[at] = _masked_line(line, parent)
    return "\n".join(lines)


def _indented(line: str) -> str:
    end = "\r" if line.endswith("\r") else ""
    return line[: len(line) - len(line.lstrip())] + MASK + end


def _masked_line(line: str, parent: str) -> str:
    words = list(_WORD.finditer(line))
    gone = [False] * len(words)
    texts = [word[0] for word in words]
    plain = [text.strip("\"';,").lower() for text in texts]
    for at in range(len(words)):
        if not gone[at]:
            for secret in _secrets_after(at, plain, texts, line, parent):
                gone[secret] = True
    result, done = [], 0
    for at, word in enumerate(words):
        if not gone[at]:
            continue
        start = word.start()
        result.append(line[done:start] + _replaced(texts[at], plain[at]))
        done = word.end()
    result.append(line[done:])
    cleaned = "".join(result)
    for shape in _SHAPES:
        cleaned = shape.sub(MASK, cleaned)
    for marked in (_SNMP_HOST, _LDAP_MANAGER):
        cleaned = marked.sub(rf"\g<1>{MASK}", cleaned)
    return cleaned


def _replaced(word: str, plain: str) -> str:
    """The mask in a word's place, with what it was introduced by where both are one word."""
    end = word[-1] if word[-1] in ";," and len(word) > 1 else ""
    found = _INTRODUCES.fullmatch(plain)
    assigned = _assigned(found) if found else ""
    return word[: len(plain) - len(assigned) + 1] + MASK + end if assigned else MASK + end


def _assigned(found: re.Match[str]) -> str:
    return found["assigned"] or found["assigned_too"] or ""


def _secrets_after(
    at: int, plain: Sequence[str], texts: Sequence[str], line: str, parent: str
) -> Iterator[int]:
    """Positions of the words of the secret that the word at ``at`` introduces, if it does."""
    word = plain[at]
    if word in _STORAGE:
        follows = plain[at + 1] if at + 1 < len(plain) else ""
        if follows and follows not in _MODES and not (word == "cipher" and _CIPHER_NAME.match(follows)):
            yield from _run(at + 1, plain, texts)
        return
    found, by_algorithm = _INTRODUCES.fullmatch(word), False
    if found:
        if len(_assigned(found)) > 1:
            yield at
            return
        if "community" in word and _BGP_COMMUNITY.search(line) and "snmp" not in line.lower():
            return
        if word == "securityname" and "v3" in plain:
            return
    elif word == "key":
        if not _key_is_secret(at, plain, line, parent):
            return
    elif not (by_algorithm := _authenticates(at, plain)):
        return
    if "passw" in word and plain[at + 1 : at + 2] and plain[at + 1] in _NEVER:
        return
    start = _skip_kinds(at + 1, plain)
    if start == len(plain) - 1 > at + 1 and plain[start] in _ENDS:
        yield start - 1  # the secret may as well be this, and the last word something else
    if start < len(plain) and not (by_algorithm and _ALGORITHM.fullmatch(plain[start])):
        yield from _run(start, plain, texts)


def _authenticates(at: int, plain: Sequence[str]) -> bool:
    """Whether the word is an algorithm, or an authentication by text, with its secret behind it."""
    word = plain[at]
    if word in ("auth", "priv", "privacy-mode", "authentication-mode"):
        rest = plain[at + 1 :]
        return bool(rest) and (
            bool(_ALGORITHM.fullmatch(rest[0])) or rest[0].startswith("0x") or rest[0] == "simple"
        )
    if word != "authentication":
        return False
    return "string" in plain[at + 1 : at + 2] or any(one in _REDUNDANCY for one in plain[:at])


def _key_is_secret(at: int, plain: Sequence[str], line: str, parent: str) -> bool:
    """``key`` introduces a secret, the number of a key, or a key chain."""
    rest = plain[at + 1 :]
    if not rest or rest[0] in ("chain", "generate", "zeroize", "import", "export", "id", "pair", "exchange"):
        return False
    if _NTP_SERVER.search(line) and len(rest) >= 1 and _NUMBER.fullmatch(rest[0]):
        return False
    if len(rest) == 1 and _NUMBER.fullmatch(rest[0]):
        before = " ".join(plain[:at])
        if before:
            return bool(_KEY_OF_SERVER.search(before))
        return not _KEY_CHAIN.search(parent)
    return "tunnel" not in plain[:at]


def _skip_kinds(at: int, plain: Sequence[str]) -> int:
    """The position of the secret: behind the words that tell how it is kept. A word of the language that
    nothing could follow but the secret is the secret itself: passwords are such words, too."""
    while at < len(plain):
        word, rest = plain[at], plain[at + 1 :]
        if not rest:
            return at
        if word in _TAKE_ONE:
            if rest[0] in _ENDS and not rest[0].startswith("network-"):
                return at
            after = at + 2
            while after < len(plain) and _ADDRESS.fullmatch(plain[after]):
                after += 1
            if after == len(plain):
                return at
            at = after
        elif word in _STORAGE:
            return at if _is_structure(rest) else at + 1
        elif word in _KINDS or _ALGORITHM.fullmatch(word) or _DIGIT.fullmatch(word) or word in _SIZES:
            if _is_structure(rest):
                return at
            at += 1
        else:
            return at
    return at


def _is_structure(rest: Sequence[str]) -> bool:
    """Whether these words go on with something else, with its argument, and are no secret."""
    return len(rest) > 1 and rest[0] in _ENDS and rest[1] not in _ENDS


def _run(at: int, plain: Sequence[str], texts: Sequence[str]) -> Iterator[int]:
    """A secret that starts here, with the words that may still belong to it."""
    if texts[at] in ("{", "}", "[", "]", "|", "##", ";"):
        return
    first = at
    while at < len(plain):
        if at > first and (plain[at] in _ENDS or texts[at] in ("{", "##") or _stays(at, plain)):
            return
        yield at
        if texts[at].endswith(";"):
            return
        at += 1


def _stays(at: int, plain: Sequence[str]) -> bool:
    """A number or a kind that is written behind the secret: ``ntp authentication-key 1 md5 X 7``."""
    return at == len(plain) - 1 and (plain[at] in _KINDS or bool(_DIGIT.fullmatch(plain[at])))
