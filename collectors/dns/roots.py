"""The public root of the DNS: its servers (IANA's root hints) and its trust anchors (IANA's root-anchors.xml,
the key signing keys of 2017 and 2024)."""

from __future__ import annotations

from typing import Final

ADDRESSES: Final = (
    "198.41.0.4", "2001:503:ba3e::2:30",
    "170.247.170.2", "2801:1b8:10::b",
    "192.33.4.12", "2001:500:2::c",
    "199.7.91.13", "2001:500:2d::d",
    "192.203.230.10", "2001:500:a8::e",
    "192.5.5.241", "2001:500:2f::f",
    "192.112.36.4", "2001:500:12::d0d",
    "198.97.190.53", "2001:500:1::53",
    "192.36.148.17", "2001:7fe::53",
    "192.58.128.30", "2001:503:c27::2:30",
    "193.0.14.129", "2001:7fd::1",
    "199.7.83.42", "2001:500:9f::42",
    "202.12.27.33", "2001:dc3::35",
)  # fmt: skip
"""Of A to M.ROOT-SERVERS.NET, in that order."""

ANCHORS: Final = (
    ". 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)
"""Zone, and its DS record as text (RFC 4034 §5.3)."""
