"""Masked addresses: the network is hidden, clause numbers and versions of our own are not."""

from __future__ import annotations

import pytest

from policies.assessment import Assessment
from reports.dengbao import check_consistency, dengbao
from reports.document import Document, Paragraph
from reports.mask import masked
from reports.render_html import render_html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.1.2.3", "10.1.x.x"),
        ("192.168.10.0/24 与 10.9.8.7:22", "192.168.x.x/24 与 10.9.x.x:22"),
        ("http://10.1.2.3/x，地址 10.1.2.3。", "http://10.1.x.x/x，地址 10.1.x.x。"),
        ("2001:db8:1:2::3/64", "2001:0db8::x/64"),
        ("[fe80::1]:22", "[fe80:0000::x]:22"),
        ("0.0.0.0/0 和 ::/0，127.0.0.1 和 ::1", "0.0.0.0/0 和 ::/0，127.0.0.1 和 ::1"),
        ("8.1.3.2 a)", "8.1.3.2 a)"),
        ("09:30:00 aa:bb:cc:dd:ee:ff 1.2.3 300.1.1.1", "09:30:00 aa:bb:cc:dd:ee:ff 1.2.3 300.1.1.1"),
    ],
)
def test_what_is_masked(assessment: Assessment, text: str, shown: str) -> None:
    document = Document(
        title="",
        subtitle="",
        marking="",
        created_at=assessment.taken_at,
        program="",
        blocks=[Paragraph(text)],
    )
    assert masked(document, {"8.1.3.2"}).blocks == [Paragraph(shown)]


def test_a_masked_report_holds_no_address_and_still_agrees(assessment: Assessment) -> None:
    made = dengbao(assessment, created_at=assessment.taken_at, mask_addresses=True)
    page = render_html(made)
    assert "10.1.2.3" not in page
    assert "2001:db8::1" not in page
    assert "10.1.x.x" in page
    assert "8.1.3.2 a)" in page
    assert "6.3.2.1" in page
    assert check_consistency(made, assessment) == []
