"""Kinds of what the public reaches: names in the DNS, and the sites behind them."""

from __future__ import annotations

from typing import ClassVar, Literal

from inventory.kinds.address import Address, Family
from inventory.kinds.crypto import VersionOffer
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe


class NameServer(Nested):
    """An authoritative server of a zone. ``answers_ipv4`` and ``answers_ipv6``: it answered with authority
    when asked over that family; False where it has no address of the family, or was asked in vain."""

    name: Maybe[str] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    answers_ipv4: Maybe[bool] = UNKNOWN
    answers_ipv6: Maybe[bool] = UNKNOWN
    lame: Maybe[bool] = UNKNOWN  # named by the delegation, but has no authority (RFC 1912 §2.8)


class Delegation(Nested):
    """A zone cut between the root and a name, as its parent delegates it."""

    zone: Maybe[str] = UNKNOWN  # absolute, without the last dot; "" = the root
    servers: Maybe[list[NameServer]] = UNKNOWN


class MailExchange(Nested):
    """A host that takes mail for a domain (RFC 5321). ``reverse_ipv6``: names that its IPv6 addresses resolve
    back to."""

    name: Maybe[str] = UNKNOWN
    preference: Maybe[int] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    reverse_ipv6: Maybe[list[str]] = UNKNOWN
    greets_ipv6: Maybe[bool] = UNKNOWN  # answered 220 over IPv6; UNKNOWN = not tried


class Resolution(Nested):
    """What one recursive resolver of the user made of a name. ``answered``: it settled both A and AAAA;
    UNKNOWN where it was silent or answered an error."""

    resolver: Maybe[str] = UNKNOWN  # its address
    family: Maybe[Family] = UNKNOWN  # of that address
    answered: Maybe[bool] = UNKNOWN
    gives_ipv6: Maybe[bool] = UNKNOWN  # there was a AAAA in its answer


class Domain(Resource):
    """A name of the estate as the DNS tells it; native id = the name in lower case, A-labels, no last dot.

    ``addresses``: of A and AAAA after aliases; [] = the name exists and has none. ``dnssec``: "secure" =
    signed and validated from a trust anchor, "insecure" = provably unsigned, "bogus" = signed and wrong
    (RFC 4035 §4.3)."""

    KIND: ClassVar[str] = "domain"
    TITLE: ClassVar[str] = "域名"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"lookup_ipv4_ms", "lookup_ipv6_ms", "ttl_seconds"})

    exists: Maybe[bool] = UNKNOWN  # False = NXDOMAIN
    alias: Maybe[str | None] = UNKNOWN  # last name of its CNAME chain; None = no alias
    # what the CNAME chain comes to; None = no alias
    alias_ends: Maybe[Literal["address", "no_data", "nonexistent", "loop"] | None] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    https_hints: Maybe[list[Address]] = UNKNOWN  # of its HTTPS records (RFC 9460); [] = none
    resolvers: Maybe[list[Resolution]] = UNKNOWN
    zone: Maybe[str] = UNKNOWN  # the zone that holds it
    delegations: Maybe[list[Delegation]] = UNKNOWN  # from the top-level domain down to ``zone``
    mail: Maybe[list[MailExchange]] = UNKNOWN  # [] = takes no mail
    dnssec: Maybe[Literal["secure", "insecure", "bogus"]] = UNKNOWN
    dnssec_problem: Maybe[str | None] = UNKNOWN  # why it is bogus; None = it is not
    lookup_ipv4_ms: Maybe[float] = UNKNOWN  # median of the A look-ups
    lookup_ipv6_ms: Maybe[float] = UNKNOWN  # median of the AAAA look-ups
    ttl_seconds: Maybe[int] = UNKNOWN  # the least of its address records


class Visit(Nested):
    """The home page over one address family."""

    family: Maybe[Family] = UNKNOWN
    address: Maybe[str | None] = UNKNOWN  # None = the name has none of this family
    ok: Maybe[bool] = UNKNOWN  # the last answer was 2xx
    problem: Maybe[str | None] = UNKNOWN  # why not
    status: Maybe[int | None] = UNKNOWN  # of the last answer; None = no HTTP came
    url: Maybe[str | None] = UNKNOWN  # where redirects led to
    certificate: Maybe[str | None] = UNKNOWN  # SHA-256 of the leaf; None = no TLS
    certificate_problem: Maybe[str | None] = (
        UNKNOWN  # why a browser would refuse it, as OpenSSL says; None = no
    )
    versions: Maybe[list[VersionOffer]] = UNKNOWN  # suites in the order of their names; [] = no TLS
    headers: Maybe[dict[str, str]] = UNKNOWN  # those that protect a browser, names in lower case
    open_ports: Maybe[list[int]] = UNKNOWN  # of the ports that were asked


class Quality(Nested):
    """How the home page was reached over one family. Times are medians of the tries that succeeded, in
    milliseconds, None where none did; ``loss``: share of connections that failed, 0 to 1."""

    family: Maybe[Family] = UNKNOWN
    tries: Maybe[int] = UNKNOWN
    succeeded: Maybe[int] = UNKNOWN
    connect_ms: Maybe[float | None] = UNKNOWN
    first_byte_ms: Maybe[float | None] = UNKNOWN
    page_ms: Maybe[float | None] = UNKNOWN
    bytes_per_second: Maybe[float | None] = UNKNOWN
    loss: Maybe[float] = UNKNOWN
    resent: Maybe[int | None] = UNKNOWN  # TCP segments sent again, the first of a connection among them


class Link(Nested):
    """A link from the site. ``level`` 2: from the home page, 3: from a page of level 2. ``embedded``: the
    page loads it (image, script, style, frame), so a visitor without it sees a hole (天窗)."""

    url: Maybe[str] = UNKNOWN
    level: Maybe[int] = UNKNOWN
    external: Maybe[bool] = UNKNOWN  # of another registrable domain
    embedded: Maybe[bool] = UNKNOWN
    ipv6: Maybe[bool] = UNKNOWN  # answers over IPv6; UNKNOWN = not asked, the budget was spent
    problem: Maybe[str | None] = UNKNOWN


class Website(Resource):
    """A site as a visitor sees it over both families; native id = its URL: scheme://host[:port]/."""

    KIND: ClassVar[str] = "website"
    TITLE: ClassVar[str] = "网站"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"quality", "similarity", "delay_ms"})

    url: Maybe[str] = UNKNOWN
    host: Maybe[str] = UNKNOWN
    visits: Maybe[list[Visit]] = UNKNOWN  # one for each family
    quality: Maybe[list[Quality]] = UNKNOWN  # one for each family
    similarity: Maybe[float | None] = UNKNOWN  # of the two home pages, 0 to 1; None = one of them is missing
    claims_ipv6: Maybe[bool] = UNKNOWN  # the page says that it supports IPv6
    links: Maybe[list[Link]] = UNKNOWN
    all_links: Maybe[bool] = UNKNOWN  # False = the budget ended before the links did
    delay_ms: Maybe[float | None] = UNKNOWN  # how much later a visitor of RFC 8305 connects for IPv6's sake


FAMILY: tuple[type[Resource], ...] = (Domain, Website)
