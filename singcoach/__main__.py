"""``python -m singcoach``."""

import sys

from singcoach.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
