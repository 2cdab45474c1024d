"""What all tests share: foreign input is drawn alike in every run; defects show tracebacks."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("hiprot", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("hiprot")

# The command line tells a defect of ours to users in one line; to tests it shows the traceback.
os.environ["HIPROT_DEBUG"] = "1"
