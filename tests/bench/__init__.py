"""The benchmarks: `python -m tests.bench` prints tables whose figures were measured in one run, in turn."""
