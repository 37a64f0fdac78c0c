# SPDX-License-Identifier: Apache-2.0
"""Documents that scenarios write when they are asked to: with DEVCONFIG_LAB_DOCUMENTS=DIRECTORY, section by section."""

import os
import re
from pathlib import Path

VARIABLE = "DEVCONFIG_LAB_DOCUMENTS"


def are_wanted() -> bool:
    return bool(os.environ.get(VARIABLE))


def put(name: str, title: str, section: str, text: str) -> Path:
    """Replace a section of a document, or add it at the end; make the document if there is none."""
    path = Path(os.environ[VARIABLE]) / name
    old = path.read_text() if path.exists() else f"# {title}\n"
    new = f"## {section}\n\n{text.strip()}\n"
    pattern = re.compile(rf"^## {re.escape(section)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(old):
        old = pattern.sub(lambda _: new + "\n", old)
    else:
        old = f"{old.rstrip()}\n\n{new}"
    path.write_text(old.rstrip() + "\n")
    return path


def command(*scenarios: str) -> str:
    return f"{VARIABLE}=docs ./dev lab run --stage stage {' '.join(scenarios)}"
