"""LibreOffice, as offices use it, opens the spreadsheet and shows what is in it."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from inventory.snapshot import Snapshot
from inventory.usage import usage_of
from reports.capacity import capacity
from reports.render_xlsx import render_xlsx

pytestmark = pytest.mark.lab


def test_libreoffice_opens_it_and_reckons_nothing(planned: Snapshot, tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.fail("soffice is not here: apt-get install libreoffice-calc-nogui")
    document = capacity(usage_of(planned), created_at=planned.info.taken_at, program="p", whole=True)
    (tmp_path / "capacity.xlsx").write_bytes(render_xlsx(document))
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "html",
         "--outdir", str(tmp_path), str(tmp_path / "capacity.xlsx")],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    shown = cells((tmp_path / "capacity.html").read_text(encoding="utf-8"))
    assert "✗ 91.5%（已分配 8,900 / 可分配量 9,728 GiB）" in shown
    row = "province-cloud 云平台计算节点 处理器（核） 320 4 1,200 504 466 42.0%".split()
    assert row in [shown[i : i + len(row)] for i in range(len(shown))]
    assert "=HYPERLINK(省财政厅)" in shown
    waste = ["未挂载的云硬盘", "至少 1", "至少 0", "至少 0", "至少 2,000", "0"]
    assert waste in [shown[i : i + len(waste)] for i in range(len(shown))]
    assert not [text for text in shown if text.startswith(("Err:", "#NAME", "#VALUE"))]


def cells(page: str) -> list[str]:
    """Texts of the table cells, as shown."""

    class Reader(HTMLParser):
        texts: list[str] = []  # noqa: RUF012
        inside = False

        def handle_starttag(self, tag: str, _: object) -> None:
            if tag == "td":
                self.texts.append("")
                self.inside = True

        def handle_endtag(self, tag: str) -> None:
            self.inside = self.inside and tag != "td"

        def handle_data(self, data: str) -> None:
            if self.inside:
                self.texts[-1] += data.strip()

    reader = Reader()
    reader.feed(page)
    return [text for text in reader.texts if text]
