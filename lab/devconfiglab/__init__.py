# SPDX-License-Identifier: Apache-2.0
"""Two office machines on one desk: real kernels, emulated USB devices, one command."""
