# SPDX-License-Identifier: Apache-2.0
"""Documents that scenarios write when they are asked to: with DEVCONFIG_LAB_DOCUMENTS=DIRECTORY, section by section."""

import os
import re
from pathlib import Path

VARIABLE = "DEVCONFIG_LAB_DOCUMENTS"


def are_wanted() -> bool:
    return bool(os.environ.get(VARIABLE))


def put(name: str, title: str, section: str, text: str) -> Path:
    """Replace or add a section of a document, which has them in the order of the alphabet; make it if there is none."""
    path = Path(os.environ[VARIABLE]) / name
    old = path.read_text() if path.exists() else f"# {title}\n"
    head, *others = re.split(r"^## ", old, flags=re.MULTILINE)
    sections = {other.partition("\n")[0]: other.partition("\n")[2].strip() for other in others}
    sections[section] = text.strip()
    path.write_text(head.rstrip() + "\n" + "".join(f"\n## {key}\n\n{sections[key]}\n"
                                                  for key in sorted(sections, key=str.casefold)))
    return path


def command(*scenarios: str) -> str:
    return f"{VARIABLE}=docs ./dev lab run --stage stage {' '.join(scenarios)}"
