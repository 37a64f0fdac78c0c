# SPDX-License-Identifier: Apache-2.0
"""A document keeps the sections of the other scenarios."""

import os
import tempfile
import unittest
from unittest import mock

from devconfiglab import documents


class DocumentsTests(unittest.TestCase):
    def test_sections(self):
        with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, {documents.VARIABLE: name}):
            documents.put("page.md", "Page", "usbtest", "old\n")
            documents.put("page.md", "Page", "Sound", "a table")
            path = documents.put("page.md", "Page", "usbtest", "new\n\n")
            self.assertEqual(path.read_text(), "# Page\n\n## Sound\n\na table\n\n## usbtest\n\nnew\n")
