"""What answers say. Pure: bytes in, dnspython's messages and plain facts out; nothing that a peer writes
raises."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rrset import RRset

Problem = Literal[
    "silent", "closed", "unreachable", "nonsense", "servfail", "refused", "other", "lame", "no_server",
    "loop", "no_glue", "late", "unasked",
]  # fmt: skip
"""Why a question has no answer; each has its words in ``collectors.dns.mapping.WHY``."""

LONGEST_CHAIN: Final = 16
_PAYLOAD = 1232  # bytes over UDP that no path fragments (DNS flag day 2020)
_DEFINITE = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
_OF_RCODE: dict[int, Problem] = {dns.rcode.SERVFAIL: "servfail", dns.rcode.REFUSED: "refused"}


class Question(NamedTuple):
    """``name`` absolute; ``recurse``: to a resolver; ``signed``: with DNSSEC's records (RFC 3225)."""

    name: Name
    type: RdataType
    recurse: bool = False
    signed: bool = False

    @property
    def key(self) -> str:
        """Words that name the question in a recording."""
        flags = ("r" if self.recurse else "") + ("s" if self.signed else "")
        return f"{self.name.to_text().lower()}/{dns.rdatatype.to_text(self.type)}/{flags}"


class Reply(NamedTuple):
    """How one question ended: a message with NOERROR or NXDOMAIN and no problem, or a problem; where a server
    answered with another code, both. ``ms``: from the question to the answer."""

    message: Message | None
    problem: Problem | None
    ms: float = 0.0

    @property
    def settled(self) -> Message | None:
        """The message, where it is evidence for what there is and what there is not."""
        return self.message if self.problem is None else None


def query(question: Question, id_: int, *, edns: bool = True) -> bytes:
    """The question as it goes over the wire."""
    message = dns.message.make_query(
        question.name,
        question.type,
        id=id_,
        use_edns=0 if edns else False,
        want_dnssec=question.signed and edns,
        payload=_PAYLOAD,
        flags=dns.flags.RD if question.recurse else 0,
    )
    return message.to_wire()


def is_answer(wire: bytes, id_: int, asked: bytes) -> bool:
    """Whether bytes answer the question that was sent: its id, the bit of answers, and the question itself,
    which servers of old leave out."""
    if len(wire) < 12 or wire[:2] != id_.to_bytes(2, "big") or not wire[2] & 0x80:
        return False
    if wire[4:6] == b"\0\0":
        return True
    end = asked.index(b"\0", 12) + 5  # no label of ours holds a zero byte: A-labels alone are asked
    return wire[12:end].lower() == asked[12:end].lower()


def is_truncated(wire: bytes) -> bool:
    """Whether the answer did not fit (RFC 1035 §4.1.1)."""
    return bool(wire[2] & 0x02)


def wants_plain(wire: bytes) -> bool:
    """Whether the server does not know EDNS (RFC 6891 §7)."""
    return wire[3] & 0x0F in (dns.rcode.FORMERR, dns.rcode.NOTIMP)


def reply_of(wire: bytes, problem: Problem | None, ms: float) -> Reply:
    """A reply out of bytes, or out of why there are none."""
    if problem is not None:
        return Reply(None, problem, ms)
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError, OverflowError, RecursionError):
        return Reply(None, "nonsense", ms)
    rcode = message.rcode()
    return Reply(message, None if rcode in _DEFINITE else _OF_RCODE.get(rcode, "other"), ms)


def text_of(name: Name) -> str:
    """A name in lower case without the last dot; what no label should hold is escaped (RFC 4343 §2.1)."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()


def name_of(text: str) -> Name:
    """An absolute name."""
    return dns.name.from_text(text, dns.name.root) if text else dns.name.root


def rrset(section: list[RRset], name: Name, type_: RdataType) -> RRset | None:
    """A set of a section, without the signatures over it."""
    for one in section:
        if one.name == name and one.rdtype == type_ and one.rdclass == dns.rdataclass.IN:
            return one
    return None


def signatures(section: list[RRset], name: Name, type_: RdataType) -> RRset | None:
    """The signatures over a set of a section."""
    for one in section:
        if one.name == name and one.rdtype == dns.rdatatype.RRSIG and one.covers == type_:
            return one
    return None


def target_of(one: RRset) -> Name:
    """Where an alias leads."""
    found: Name = one[0].target
    return found


class Ends(NamedTuple):
    """Where the aliases of one answer lead. ``how``: data; no_data = the last name has none of the type;
    nonexistent; loop; open = the answer does not say what the last name has."""

    names: list[Name]  # the chain, the name that was asked first
    how: Literal["data", "no_data", "nonexistent", "loop", "open"]
    found: RRset | None = None
    ttl: int | None = None  # the least of the chain and of what was found, in seconds


def follow(message: Message, name: Name, type_: RdataType) -> Ends:
    """Follow the aliases inside one settled answer."""
    names, ttls = [name], []
    while (found := rrset(message.answer, names[-1], type_)) is None:
        alias = rrset(message.answer, names[-1], dns.rdatatype.CNAME)
        if alias is None:
            break
        ttls.append(alias.ttl)
        target = target_of(alias)
        if target in names:
            return Ends(names, "loop")
        names.append(target)
        if len(names) > LONGEST_CHAIN:
            return Ends(names, "loop")
    if found is not None:
        return Ends(names, "data", found, min([*ttls, found.ttl]))
    if message.rcode() == dns.rcode.NXDOMAIN:
        return Ends(names, "nonexistent")
    soa = any(one.rdtype == dns.rdatatype.SOA for one in message.authority)
    return Ends(names, "no_data" if soa or len(names) == 1 else "open")
