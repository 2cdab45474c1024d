from __future__ import annotations

import os

# The command line shows defects of ours as one line to users, but as a traceback to tests.
os.environ["HIPROT_DEBUG"] = "1"
