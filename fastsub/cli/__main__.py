"""``python -m fastsub.cli`` is the ``fastsub`` command."""

import sys

from fastsub.cli import main

sys.exit(main())
