"""The command `dtm`, also as `python -m dtm_sdk`."""

from dtm_sdk._platform import require


def main() -> None:
    """Run the command line, where the interpreter and the system have what it needs."""
    require()
    from dtm_sdk.cli import main as run  # here, for what it imports may not load where `require` ends the run

    run()


if __name__ == "__main__":
    main()
