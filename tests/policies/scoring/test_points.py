"""What each unit is worth of the 100 points."""

from __future__ import annotations

from decimal import Decimal

from policies.crypto import CryptoObject, UnitFacts
from policies.scoring.method import rounded
from policies.scoring.miping import method, score
from policies.scoring.points import Points, points
from policies.standards import load_standard
from policies.verdict import Verdict

MIPING = load_standard("miping")
LEFT_OUT = UnitFacts(verdict=Verdict.NOT_APPLICABLE)
PHYSICAL = dict.fromkeys(("PHY-01", "PHY-02", "PHY-03"), LEFT_OUT)


def told(held: Points) -> tuple[str, ...]:
    """Share, low and high to two places."""
    return tuple(str(rounded(part, 2)) for part in (held.share, held.low, held.high))


def test_shares_of_a_level_3_system_by_hand() -> None:
    failed = UnitFacts(objects=(CryptoObject(name="a", d=False), CryptoObject(name="b")))
    found = points(score(MIPING, method(MIPING, "2023"), 3, {"NET-01": failed, "POL-01": LEFT_OUT}))
    # NET-01: 70 · 20/70 · 1/3.5 (weights 1, 0.7, 1, 0.4, 0.4) = 5.71; half of it may still be had
    assert told(found["NET-01"]) == ("5.71", "0.00", "2.86")
    # POL: 30 · 8/30 = 8, over five units of 0.7 now that POL-01 is left out: 1.60 each
    assert told(found["POL-02"]) == ("1.60", "0.00", "1.60")
    assert "POL-01" not in found
    assert len(found) == 40
    assert rounded(sum((p.share for p in found.values()), Decimal(0)), 9) == 100


def test_a_layer_left_out_gives_its_points_to_its_side() -> None:
    found = points(score(MIPING, method(MIPING, "2023"), 3, PHYSICAL))
    # without PHY the technical side is 60: NET-01 70 · 20/60 · 1/3.5 = 6.67
    assert told(found["NET-01"])[0] == "6.67"
    # in one pool (2021) of 90: 100 · 20/90 · 1/3.5 = 6.35; POL-01: 100 · 8/90 · 1/4.5 = 1.98
    old = points(score(MIPING, method(MIPING, "2021"), 3, PHYSICAL))
    assert (told(old["NET-01"])[0], told(old["POL-01"])[0]) == ("6.35", "1.98")


def test_where_there_is_no_total_there_are_no_points() -> None:
    technical = {u.code for u in MIPING.crypto.values() if u.level == 3 and MIPING.layers[u.layer].technical}
    assert points(score(MIPING, method(MIPING, "2023"), 3, dict.fromkeys(technical, LEFT_OUT))) == {}
