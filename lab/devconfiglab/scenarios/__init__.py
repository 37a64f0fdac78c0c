# SPDX-License-Identifier: Apache-2.0
"""The scenarios, and the steps they have in common."""
