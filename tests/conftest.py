"""What all tests share: no width of a window comes in from outside, as pytest-xdist would set one."""

import os

os.environ.pop("COLUMNS", None)
