"""``python -m zhengguan``."""

import sys

from zhengguan.cli import main

sys.exit(main())
