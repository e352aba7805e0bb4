"""The command `dtm`, also as `python -m dtm_sdk`."""

from dtm_sdk._platform import require


def main() -> None:
    """Run the command line, where the interpreter and the system have what it needs."""
    require()
    import gc

    gc.disable()  # until a command has imported what it needs: looking for garbage in that is a tenth of a short run
    from dtm_sdk.cli import main as run  # here, for what it imports may not load where `require` ends the run

    try:
        run()
    finally:
        gc.freeze()  # or the interpreter looks through everything once more before it ends


if __name__ == "__main__":
    main()
