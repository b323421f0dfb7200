"""One thing that is done and counted through the product's own code, in a process of its own as the web's is.

python -m bench._client MEASURE OPTIONS     prints one line of JSON
"""

from __future__ import annotations

import inspect
import json
import sys

import django


def main() -> None:
    """Of the options each measure gets those that it takes."""
    django.setup()
    from bench import _latency, _measures

    measure = {**_measures.MEASURES, **_latency.MEASURES}[sys.argv[1]]
    given = json.loads(sys.argv[2])
    answer = measure(**{name: given[name] for name in inspect.signature(measure).parameters})
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
