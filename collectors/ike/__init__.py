"""Source type ``ike``: what IPsec gateways accept before anybody is authenticated, IKEv1 and IKEv2.

Own packets, first messages only: no exchange is completed and no key is made. Silence is never absence. The
code points of GM/T 0022 are asked too, in messages of their own. A collection's scope is the target as
configured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from collectors.contract import Access, Run, Source, SourceError
from collectors.endpoints import EndpointOptions, write_told
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ("ike_endpoint",)

PERMISSIONS = """\
不需要账号和预共享密钥。采集机要能向各端点的 UDP 500 或 4500 发包并收到应答；
只发协商的第一个报文，不完成任何交换。
一个端点大约 50 至 150 个报文，按 questions_per_second 发出：先告知 VPN 管理员，在入侵防御设备上放行采集机。
不少 VPN 设备只应答认识的对端：没有应答记为未知，不当作没有 IPsec。"""


class Options(EndpointOptions, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """To ports other than 500 packets carry the marker of NAT traversal (RFC 3948). Times in seconds:
    ``timeout_seconds`` of one attempt at a question, ``endpoint_seconds`` of one address. ``attempts``: as
    long as nothing has been heard; ``questions_per_second``: to one address, 0 = at once."""

    PORT: ClassVar[int] = 500
    POSITIVE: ClassVar[tuple[str, ...]] = (*EndpointOptions.POSITIVE, "attempts")

    timeout_seconds: float = 2.0
    attempts: int = 3
    questions_per_second: float = 10.0
    endpoint_seconds: float = 120.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.questions_per_second < 0:
            raise ValueError("questions_per_second 不能小于 0（0 = 不限）")


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Ask all targets side by side; a batch per target, in the order they end."""
    from collectors.ike.survey import survey

    yield from survey(source, _options(source), run, {})


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a recording that replays to the same."""
    from collectors.ike.mapping import Target
    from collectors.ike.survey import FORMAT, survey

    options = _options(source)
    told: dict[str, Target] = {}
    batches = list(survey(source, options, run, told))
    write_told(path, FORMAT, options, ("targets", "families"), told, run, note)
    return batches


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether each target answers at all."""
    from collectors.ike.survey import reach

    yield from reach(_options(source), run)


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 ike 的", "检查配置")
    return source.options
