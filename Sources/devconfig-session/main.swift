// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

print("not built yet")
