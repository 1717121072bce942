# SPDX-License-Identifier: BSD-3-Clause
"""``python -m spinodal`` is ``spinodal``."""

import sys

from spinodal.cli import main

sys.exit(main())
