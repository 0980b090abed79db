"""Start here: `python server.py serve`. Everything is in chat/cli.py."""

from chat.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
