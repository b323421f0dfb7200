from typing import Any
def show(found: dict[str, Any]) -> None: print(found)
def write(found: dict[str, Any], size: Any) -> None: pass
